import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Exec, ExecResult } from '../../lib/platform/exec.ts';
import { eventually } from '../lab/eventually.ts';
import { ipIn, pidsIn } from '../lab/namespaces.ts';
import { cleanup, leave, leaveRoutes, program } from './cleanup-scene.ts';
import { execIn, skip, throwAwayNamespace } from './namespaces.ts';
import { oursLeft } from './scene.ts';

/** Nodes that have less than a Debian with everything installed, or other versions, or a busy lock. */

/** What a node has in place of this machine's /usr/sbin: a program of this machine under its own or another name, or a script. */
type Tools = Readonly<Record<string, { readonly copyOf: string } | { readonly script: string }>>;

const everyMulti = { nft: 'xtables-nft-multi', legacy: 'xtables-legacy-multi' };

/** `iptables` and `iptables-restore` without a backend in the name, as on most distributions. */
function plainIptables(backend: 'nft' | 'legacy'): Tools {
  const copyOf = `/usr/sbin/${everyMulti[backend]}`;
  return { iptables: { copyOf }, 'iptables-restore': { copyOf } };
}

function folderWith(t: Test, tools: Tools): string {
  const folder = mkdtempSync(join(tmpdir(), 'bare-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, tool] of Object.entries(tools)) {
    const path = join(folder, name);
    if ('copyOf' in tool) copyFileSync(tool.copyOf, path);
    else writeFileSync(path, `#!/bin/sh\n${tool.script}\n`);
    chmodSync(path, 0o755);
  }
  return folder;
}

/** Runs it where these tools, and the builtins of a POSIX shell, are all there is, and PATH names none of them. */
function onBareNode(t: Test, onNode: Exec, tools: Tools): (...args: string[]) => Promise<ExecResult> {
  const hidden = 'mount --bind "$1" /usr/sbin && shift && PATH=/nonexistent && exec "$@"';
  const start = ['--mount', 'sh', '-c', hidden, 'sh', folderWith(t, tools), '/bin/dash', program];
  return (...args) => onNode('unshare', [...start, ...args], { timeoutMs: 60_000 });
}

for (const backend of ['nft', 'legacy'] as const) {
  t.test(`needs nothing but a shell and one \`iptables\` (${backend})`, { skip }, async (t) => {
    const onNode = execIn(throwAwayNamespace(t));
    const run = onBareNode(t, onNode, plainIptables(backend));
    await leave(onNode, { times: 2, backends: [backend] });
    const { code, stdout, stderr } = await run();
    t.equal(code, 0);
    t.match(stdout, `${backend}: removed chain aad-metadata in table nat (jumps to it: 2)\n`);
    t.match(stderr, 'cannot tell: whether there are routing rules of --guard=both');
    t.notMatch(stderr, /neighbours/, 'there is no permanent neighbour, so nothing to tell');
    t.same(await oursLeft(onNode), []);
    t.match(await run(), { code: 0, stdout: 'nothing of ours found\n' });
    t.equal((await run('--verify')).code, 1, 'a routing rule could be left');
  });
}

t.test('what is there for sure comes before what cannot be told', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  await leave(onNode, { backends: ['nft'] });
  t.equal((await onBareNode(t, onNode, plainIptables('nft'))('--verify')).code, 3);
});

t.test('permanent neighbours are told of where nobody can tell whose they are', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  ipIn(node, [
    'link add cbr0 type bridge',
    'link set cbr0 up',
    'neigh replace 10.98.1.9 lladdr 02:00:00:00:00:09 dev cbr0 nud permanent',
  ]);
  const run = onBareNode(t, execIn(node), {
    ...plainIptables('nft'),
    ip: { script: `echo "ip: invalid argument '$2' to 'ip'" >&2; exit 1` },
  });
  const { code, stderr } = await run('--verify');
  t.equal(code, 1);
  t.match(stderr, /whether permanent neighbours are of --pin-neighbours; no iproute2/);
});

t.test('a legacy table that no program here can look into is a failure', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  await leave(onNode);
  const run = onBareNode(t, onNode, plainIptables('nft'));
  const { code, stderr } = await run();
  t.equal(code, 1);
  t.match(stderr, /no iptables-legacy found on PATH to look into the legacy table nat\n/);
  t.ok((await oursLeft(onNode)).length > 0);
});

t.test('works where iptables-restore knows no --wait (before 1.6.2)', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  await leave(onNode, { backends: ['legacy'] });
  const old = `case "$*" in *-h*) echo "Usage: $0 [-c] [-n]" ;; *-w*) echo "$0: invalid option -- 'w'" >&2; exit 1 ;;
    *) exec /usr/sbin/multi iptables-restore "$@" ;; esac`;
  const run = onBareNode(t, onNode, {
    iptables: { copyOf: '/usr/sbin/xtables-legacy-multi' },
    multi: { copyOf: '/usr/sbin/xtables-legacy-multi' },
    'iptables-restore': { script: old },
  });
  t.match(await run(), { code: 0, stdout: /legacy: removed chain aad-metadata-guard/ });
  t.same(await oursLeft(onNode), []);
});

t.test('fails with one sentence where there is no iptables', { skip }, async (t) => {
  const { code, stdout, stderr } = await onBareNode(t, execIn(throwAwayNamespace(t)), {})();
  t.match({ code, stdout }, { code: 1, stdout: '' });
  t.match(stderr, /^cleanup-iptables: no iptables found on PATH [^\n]+\n$/);
});

t.test('waits for the xtables lock that another program holds', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  const onNode = execIn(node);
  await leave(onNode, { backends: ['legacy'] });
  const lock = join(folderWith(t, {}), 'lock');
  const holder = spawn('flock', [lock, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.teardown(() => holder.kill('SIGKILL'));
  holder.stdin.write('held\n');
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const removal = onNode('env', [`XTABLES_LOCKFILE=${lock}`, program], { timeoutMs: 60_000 });
  await eventually('iptables waits for the lock', () => pidsIn(node).some((pid) => hasOpen(pid, lock)));
  t.ok((await oursLeft(onNode)).length > 0);
  holder.stdin.end();
  t.match(await removal, { code: 0, stderr: '' });
  t.same(await oursLeft(onNode), []);
});

t.test('tells that the lock stayed held, and removes what needs none', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  const onNode = execIn(node);
  await leave(onNode);
  await leaveRoutes(node);
  // What iptables 1.8.9 says after 10 s.
  const busy = `echo "Can't lock /run/xtables.lock: Resource temporarily unavailable
Another app is currently holding the xtables lock. Stopped waiting after 10s." >&2; exit 4`;
  const path = `PATH=${folderWith(t, { 'iptables-legacy': { script: busy } })}:${process.env.PATH}`;
  const { code, stdout, stderr } = await onNode('env', [path, program], { timeoutMs: 60_000 });
  t.equal(code, 1);
  t.match(
    stderr,
    /iptables-legacy cannot list table nat: .*holding the xtables lock. Stopped waiting after 10s/,
  );
  t.match(stdout, /nft: removed chain aad-metadata in table nat/);
  t.match(stdout, /ip: removed routing rules/);
  t.match(await cleanup(onNode), { code: 0, stdout: /legacy: removed chain aad-metadata in table nat/ });
});

t.test(
  'tells when something is back after it was removed, as an agent that runs does it',
  { skip },
  async (t) => {
    const onNode = execIn(throwAwayNamespace(t));
    await leave(onNode, { backends: ['nft'] });
    const restore = '/usr/sbin/iptables-nft-restore';
    const putBack = `${restore} "$@" && printf '*nat\\n:aad-metadata - [0:0]\\nCOMMIT\\n' | ${restore} --noflush`;
    const path = `PATH=${folderWith(t, { 'iptables-nft-restore': { script: putBack } })}:${process.env.PATH}`;
    const { code, stderr } = await onNode('env', [path, program], { timeoutMs: 60_000 });
    t.equal(code, 1);
    t.match(
      stderr,
      /^cleanup-iptables: the above is back after it was removed: does an agent still run\?\n$/,
    );
  },
);

function hasOpen(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    // It ended in between.
    return false;
  }
}
