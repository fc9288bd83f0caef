import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Package {
  readonly name: string;
  readonly version: string;
  /** SPDX; older packages have an object or nothing. */
  readonly license?: unknown;
}

const legalFile = /^(licen[cs]e|copying|notice)/i;
const rule = '='.repeat(80);

/** The licences of the packages that these files are of, whole. `inputs` from `root`. Throws for a package that has none. */
export function noticesOf(root: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.filter((input) => input.includes('node_modules/')).map(folderOf));
  // A package may lie in several folders.
  const notices = [...new Set([...folders].map((folder) => noticeOf(join(root, folder))))];
  const preface = `The programs in this folder contain the following ${notices.length} packages, under the terms that follow each.\n`;
  return [preface, ...notices.sort()].join(`${rule}\n`);
}

/** `node_modules/a/node_modules/@b/c/d.js` → `node_modules/a/node_modules/@b/c`. */
function folderOf(input: string): string {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? input;
}

function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Package;
  const texts = legalTexts(folder);
  if (texts.length === 0 && typeof license !== 'string') throw new Error(`${name} ${version} has no licence`);
  const terms = texts.length > 0 ? texts.join('\n') : `Published under ${license} without its text.\n`;
  return `${name} ${version}\n\n${terms}`;
}

function legalTexts(folder: string): string[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (file) => file.isFile() && legalFile.test(file.name),
  );
  return files.map(({ name }) => `${readFileSync(join(folder, name), 'utf8').trim()}\n`);
}
