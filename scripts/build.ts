import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundle } from './bundle/bundle.ts';
import { noticesOf } from './bundle/notices.ts';
import { versionIn } from './bundle/plugins.ts';

/**
 * Bundles every bin/NAME.ts into FOLDER/bin/NAME.mjs, beside the launcher bin/NAME that starts it. The same sources and the
 * same commit give the same bytes.
 */
const root = resolve(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(root, 'dist'));
const notices = 'THIRD-PARTY-NOTICES';

/** As SemVer's build metadata: `0.1.0+17b9415aa03c`, and `.dirty` behind it where files are changed. */
function stamped(version: string): string {
  const commit = process.env.COMMIT?.slice(0, 12) || describe();
  return commit ? `${version}+${commit}` : version;
}

/** '' where there is no git or no repository. */
function describe(): string {
  const args = [
    '--no-optional-locks',
    'describe',
    '--always',
    '--exclude=*',
    '--abbrev=12',
    '--dirty=.dirty',
  ];
  try {
    return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

/** Throws when it holds something that no build has made. */
function emptyFolder(): void {
  const isOurs = !existsSync(folder) || existsSync(join(folder, notices)) || readdirSync(folder).length === 0;
  if (!isOurs) throw new Error(`${folder} holds something else; name a folder that is empty or not there`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
}

/** `bin/nmi` and what else is started by its name, with the right to execute. */
function copyLaunchers(): void {
  for (const name of readdirSync(join(root, 'bin'))) {
    if (name.includes('.')) continue;
    copyFileSync(join(root, 'bin', name), join(folder, 'bin', name));
    chmodSync(join(folder, 'bin', name), 0o755);
  }
}

function tellSizes(): void {
  const kb = (bytes: number): string => `${Math.ceil(bytes / 1024)} kB`.padStart(8);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  for (const path of files.map((file) => join(file.parentPath, file.name)).sort()) {
    const bytes = readFileSync(path);
    process.stdout.write(
      `${kb(bytes.length)} ${kb(gzipSync(bytes).length)} packed  ${relative(folder, path)}\n`,
    );
  }
}

const version = stamped(versionIn(join(root, 'package.json')));
const programs = readdirSync(join(root, 'bin')).filter((name) => name.endsWith('.ts'));
const names = programs.map((name) => basename(name, '.ts'));
const { files, inputs } = await bundle({ root, names, version });
emptyFolder();
for (const [name, contents] of files) writeFileSync(join(folder, 'bin', name), contents);
copyLaunchers();
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
writeFileSync(join(folder, notices), noticesOf(root, inputs));
tellSizes();
process.stdout.write(`pod-identity ${version}\n`);
