import { loadAllYaml } from '@kubernetes/client-node';
import t from 'tap';
import { verbs } from '../../lib/cli/verbs.ts';
import { micFlags } from '../../lib/config/mic-flags.ts';
import { nmiFlags } from '../../lib/config/nmi-flags.ts';
import { demoFlags } from '../../lib/demo/flags.ts';
import { validatorFlags } from '../../lib/identityvalidator/flags.ts';
import { ourKinds, schemaOf, unknownFields } from './crds.ts';
import { isChartValue, workloads } from './manifests.ts';
import { anchorsOf, codeIn, exists, pages, textOf } from './pages.ts';
import { withTables, writtenPages } from './tables.ts';

/** Flags of programs that are not ours, where they stand alone. */
const foreign: Readonly<Record<string, readonly string[]>> = {
  az: ['resource-group', 'cluster-name', 'enable-pod-identity-with-kubenet', 'node-taints'],
  'kube-state-metrics': ['metric-labels-allowlist'],
  helm: ['set'],
  'scripts/bench': ['json'],
  node: ['optimize-for-size', 'no-parallel-scavenge', 'heap-growing-percent', 'no-compact'],
};
/** With those at the root, which others hold as well. */
const allPages = [...pages, 'README.md', 'SECURITY.md', 'CHANGELOG.md'];

/** As kubectl names them, and no paths. */
const named = workloads();

/** `podid VERB …` in a line of code, with the verb that its first words name. */
function callsIn(text: string) {
  const calls = codeIn(text).flatMap((line) =>
    [...line.matchAll(/\bpodid ([^|;`)]*)/g)].map(([, call = '']) => call),
  );
  return calls
    .map((call) => call.split(/ (?:#|&&|\\$|>)|\$\(/)[0]?.trim() ?? '')
    .filter((call) => /^[a-z]/.test(call))
    .map((call) => ({
      call,
      verb: verbs
        .toSorted((a, b) => b.name.length - a.name.length)
        .find(({ name }) => `${call} `.startsWith(`${name} `)),
    }));
}

t.test('what is generated is as the code has it; scripts/docs writes it', async (t) => {
  for (const page of writtenPages) t.equal(withTables(page, textOf(page)), textOf(page), page);
});

t.test('every verb of podid that a page uses is there, with its flags', async (t) => {
  let found = 0;
  for (const page of allPages)
    for (const { call, verb } of callsIn(textOf(page))) {
      found += 1;
      t.ok(verb, `${page}: podid ${call}`);
      const known = Object.values(verb?.flags ?? {}).flatMap(({ flag, short = flag }) => [
        `--${flag}`,
        `-${short}`,
      ]);
      const used = call.split(/[ =]/).filter((word) => /^--?[a-zA-Z]/.test(word));
      t.same(
        used.filter((flag) => !known.includes(flag)),
        [],
        `${page}: podid ${call}`,
      );
    }
  t.ok(found > 30, `${found} calls`);
});

t.test('every verb of podid is on a page', async (t) => {
  const used = new Set(pages.flatMap((page) => callsIn(textOf(page)).map(({ verb }) => verb?.name)));
  for (const { name } of verbs.filter(({ name }) => name !== 'completion')) t.ok(used.has(name), name);
});

t.test('every flag that stands alone exists', async (t) => {
  const tables = [nmiFlags, micFlags, demoFlags, validatorFlags, ...verbs.map(({ flags }) => flags)];
  const ours = tables.flatMap((table) => Object.values(table).map(({ flag }) => flag));
  const known = new Set([...ours, ...Object.values(foreign).flat(), 'dry-run', 'verify', 'help']);
  for (const page of pages) {
    const named = codeIn(textOf(page)).flatMap((code) => /^--([A-Za-z][\w-]*)/.exec(code)?.[1] ?? []);
    t.same(
      named.filter((flag) => !known.has(flag)),
      [],
      page,
    );
  }
});

t.test('every path of the project that a command uses exists', async (t) => {
  for (const page of pages) {
    const code = codeIn(textOf(page)).join('\n');
    const paths = [...code.matchAll(/(?<![\w/-])(?:bin|scripts|daemonset|lib)\/[\w./-]*\w/g)].map(
      ([path]) => path,
    );
    const missing = paths.filter((path) => !named.has(path) && !exists(path));
    t.same(missing, [], page);
  }
});

t.test('every workload that a command names is in a manifest', async (t) => {
  for (const page of allPages) {
    const code = codeIn(textOf(page)).join('\n');
    const names = [...code.matchAll(/\b(daemonset|deployment)[/ ](nmi|mic|pod-identity[\w-]*)\b/g)];
    for (const [, kind, name] of names) t.ok(named.has(`${kind}/${name}`), `${page}: ${kind}/${name}`);
  }
});

t.test('every value that a command gives the chart is one of its values', async (t) => {
  for (const page of pages)
    for (const [, value = ''] of textOf(page).matchAll(/--set ([\w.]+)=/g))
      t.ok(isChartValue(value), `${page}: ${value}`);
});

t.test('every overlay that a command applies is a folder that kustomize takes', async (t) => {
  for (const page of allPages) {
    const folders = [...textOf(page).matchAll(/ -k ([\w./-]+)/g)].map(([, folder = '']) => folder);
    for (const folder of folders) t.ok(exists(`${folder}/kustomization.yaml`), `${page}: ${folder}`);
  }
});

t.test('every link leads to a page, and to a heading that is there', async (t) => {
  for (const page of allPages) {
    const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, link = '']) => link);
    for (const link of links) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? page : new URL(file, `file:///${page}`).pathname.slice(1);
      t.ok(exists(target), `${page}: ${link}`);
      if (anchor !== undefined && exists(target))
        t.ok(anchorsOf(textOf(target)).has(anchor), `${page}: ${link}`);
    }
  }
});

t.test('every alert names a page and a heading that are there', async (t) => {
  const alerts = textOf('daemonset/dashboards/alerts.yaml');
  for (const [, page = '', anchor] of alerts.matchAll(/runbook: ([\w./-]+)(?:#([\w-]+))?/g)) {
    t.ok(exists(page), page);
    if (anchor !== undefined) t.ok(anchorsOf(textOf(page)).has(anchor), `${page}#${anchor}`);
  }
});

t.test('every page is in the table of contents', async (t) => {
  const contents = textOf('docs/README.md');
  for (const page of pages.filter((page) => page !== 'docs/README.md')) {
    const link = page.startsWith('docs/') ? page.slice('docs/'.length) : `../${page}`;
    t.ok(contents.includes(`](${link})`), page);
  }
});

t.test('what to do about a symptom begins with the command', async (t) => {
  const [, ...sections] = textOf('docs/troubleshooting.md').split(/^## /m);
  t.ok(sections.length > 10);
  for (const section of sections) t.match(section, /^.+\n\n```sh\n/, section.split('\n')[0] ?? '');
});

t.test('every object of ours on a page has fields that its schema knows, and no others', async (t) => {
  let found = 0;
  for (const page of pages)
    for (const [, block = ''] of textOf(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm))
      for (const object of loadAllYaml(block) as { readonly kind?: string }[]) {
        const kind = ourKinds.find((each) => each === object.kind);
        if (kind === undefined) continue;
        found += 1;
        t.same(unknownFields(object, schemaOf(kind)), [], `${page}: ${kind}`);
      }
  t.ok(found > 7, `${found} objects`);
});
