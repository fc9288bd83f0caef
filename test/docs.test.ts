import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { micFlags } from '../lib/config/mic-flags.ts';
import { nmiFlags } from '../lib/config/nmi-flags.ts';
import { withFlagTable } from './docs/flag-table.ts';

const root = new URL('..', import.meta.url);
const pages = ['README.md', 'SECURITY.md', 'CHANGELOG.md'];
const text = (page: string): string => readFileSync(new URL(page, root), 'utf8');

t.test("README's flag table is the code's; scripts/docs writes it", async (t) => {
  t.equal(withFlagTable(text('README.md')), text('README.md'));
});

t.test('every flag that a page names exists', async (t) => {
  const ofScripts = ['bin/cleanup-iptables', 'scripts/test'].flatMap(
    (file) => text(file).match(/--[a-z-]+/g) ?? [],
  );
  const flags = new Set([
    ...['install', 'for'], // helm upgrade --install, kubectl wait --for
    ...Object.values({ ...nmiFlags, ...micFlags }).map(({ flag }) => flag),
    ...ofScripts.map((flag) => flag.slice(2)),
  ]);
  for (const page of pages) {
    const named = [...text(page).matchAll(/`[^`]*?--([A-Za-z][A-Za-z_-]*)/g)].map(([, flag]) => flag ?? '');
    t.same(
      named.filter((flag) => !flags.has(flag)),
      [],
      page,
    );
  }
});

t.test('every path of the project that a page names exists', async (t) => {
  for (const page of pages) {
    const paths = [...text(page).matchAll(/(?:bin|lib|scripts|test|daemonset)\/[\w./-]*[\w/]/g)].map(
      ([path]) => path,
    );
    const missing = paths.filter((path) => !/STAGE/.test(path) && !existsSync(new URL(path, root)));
    t.same(missing, [], page);
  }
});

t.test('every relative link of a page leads somewhere', async (t) => {
  for (const page of pages) {
    const links = [...text(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? '');
    t.same(
      links.filter((link) => !existsSync(new URL(link, root))),
      [],
      page,
    );
  }
});
