import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { type ExecResult, systemExec } from '../lib/platform/exec.ts';
import { podKubeconfig } from './bench/memory-scene.ts';
import { createLab } from './lab/lab.ts';
import { unavailable } from './lab/namespaces.ts';
import { ask, demo } from './lab/nmi/scene.ts';
import { bindingObject, identityObject } from './lab/objects.ts';

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly string[];
}

/** `scripts/build`, and what comes of it in a folder far from the packages that it was made of. */
const root = resolve(import.meta.dirname, '..');

function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'pod-identity-build-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function build(folder: string): Promise<ExecResult> {
  return systemExec(process.execPath, [join(root, 'scripts/build.ts'), folder], { timeoutMs: 60_000 });
}

/** Launchers of the programs, by name. */
function programsIn(folder: string): string[] {
  const bundles = readdirSync(join(folder, 'bin')).filter((name) => name.endsWith('.mjs'));
  return bundles.map((name) => name.slice(0, -'.mjs'.length));
}

const built = scratch(t);
const { code, stdout, stderr } = await build(built);
const read = (name: string): string => readFileSync(join(built, name), 'utf8');

t.test('every program of bin becomes one bundle that a launcher of its name starts', async (t) => {
  t.equal(code, 0, stderr);
  const sources = readdirSync(join(root, 'bin')).filter((name) => name.endsWith('.ts'));
  t.same(
    programsIn(built).map((name) => `${name}.ts`),
    sources,
  );
  for (const name of [...programsIn(built), 'cleanup-iptables']) {
    t.ok(statSync(join(built, 'bin', name)).mode & 0o100, `${name} is executable`);
  }
  t.match(stdout, /kB .* packed {2}bin\/nmi\.mjs\n/, 'sizes are told');
});

for (const name of programsIn(built)) {
  t.test(`${name} answers --version and --help, and refuses a bad flag with status 2`, async (t) => {
    const run = (flag: string): Promise<ExecResult> =>
      systemExec(join(built, 'bin', name), [flag], { timeoutMs: 20_000 });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    t.match(await run('--version'), { code: 0, stderr: '' });
    t.ok((await run('--version')).stdout.includes(version));
    t.match(await run('--help'), { code: 0, stdout: /--/, stderr: '' });
    t.match(await run('--no-such-flag'), { code: 2, stdout: '', stderr: /no-such-flag/ });
  });

  t.test(`${name} holds no path of this machine and no source`, async (t) => {
    t.notOk(read(`bin/${name}.mjs`).includes(root));
    t.notOk(read(`bin/${name}.mjs`).includes('node_modules'));
    const { sources, sourcesContent } = JSON.parse(read(`bin/${name}.mjs.map`)) as SourceMap;
    t.notOk(sourcesContent, 'no source');
    t.same(
      sources.filter(
        (source) => !/^(\.\.\/\.\.\/(bin|lib|scripts|node_modules|package\.json)|builtin:)/.test(source),
      ),
      [],
    );
  });
}

t.test('with --enable-source-maps, a stack names the line of the source', async (t) => {
  const hook = join(scratch(t), 'hook.cjs');
  writeFileSync(hook, "process.exit = () => { throw new Error('at the end'); };\n");
  const command = ['--enable-source-maps', '--require', hook, join(built, 'bin/nmi.mjs'), '--version'];
  const { stderr } = await systemExec(process.execPath, command, { timeoutMs: 20_000 });
  const line = /Error: at the end\n.*\n.*\/bin\/nmi\.ts:(\d+):\d+/.exec(stderr)?.[1];
  const source = readFileSync(join(root, 'bin/nmi.ts'), 'utf8').split('\n');
  t.match(source[Number(line) - 1], 'process.exit', stderr);
});

t.test('the licences of the bundled packages are there, and of no other', async (t) => {
  const packages: string[] =
    read('THIRD-PARTY-NOTICES').match(/(?<=^={80}\n)\S+(?= \d+\.\d+\.\d+\n)/gm) ?? [];
  for (const name of ['@kubernetes/client-node', 'http-proxy', 'pino', 'prom-client', 'undici'])
    t.ok(packages.includes(name), name);
  t.notOk(packages.includes('esbuild'));
  t.same(packages, [...new Set(packages)]);
  t.equal(read('LICENSE'), readFileSync(join(root, 'LICENSE'), 'utf8'));
});

t.test('built again, the bytes are the same', async (t) => {
  const again = scratch(t);
  await build(again);
  const files = [
    'THIRD-PARTY-NOTICES',
    ...programsIn(built).flatMap((name) => [`bin/${name}.mjs`, `bin/${name}.mjs.map`]),
  ];
  for (const file of files) t.ok(read(file) === readFileSync(join(again, file), 'utf8'), file);
});

t.test('a folder that holds anything else is left alone', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/mine'), 'mine');
  t.match(await build(folder), { code: 1, stderr: /holds something else/ });
  t.equal(readFileSync(join(folder, 'bin/mine'), 'utf8'), 'mine');
});

t.test('the bundled agent serves a pod', { skip: unavailable() ?? false }, async (t) => {
  const lab = await createLab({
    pods: [{ name: 'demo', labels: { aadpodidbinding: 'demo' } }, { name: 'plain' }],
  });
  t.teardown(() => lab.down());
  await lab.imds.assign(demo);
  await lab.kube.apply(identityObject('demo', 'default', demo));
  await lab.kube.apply(bindingObject('demo', 'default', 'demo', 'demo'));
  const env = { KUBECONFIG: podKubeconfig(lab) };
  const agent = lab.startAgent({ program: join(built, 'bin/nmi'), env });
  await agent.ready();
  t.match(await ask(lab, 'demo'), { status: 200, body: { token_type: 'Bearer' } });
  t.match(await ask(lab, 'plain'), { status: 400, body: { error_description: /Identity not found/ } });
  const { stdout: metrics } = await lab.onNode(['curl', '-s', agent.metrics]);
  t.match(metrics, /^process_resident_memory_bytes \d+/m);
  t.equal(await agent.stop(), 0);
  const lines = agent.output().trimEnd().split('\n');
  t.same(
    lines.filter((line) => !line.startsWith('{')),
    [],
    'nothing but records on stdout and stderr',
  );
});
