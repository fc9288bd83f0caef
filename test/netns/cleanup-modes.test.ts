import { readFileSync } from 'node:fs';
import t from 'tap';
import { cleanup, leave, leaveRoutes, program, routesLeft } from './cleanup-scene.ts';
import { execIn, skip, throwAwayNamespace } from './namespaces.ts';
import { oursLeft } from './scene.ts';

const shells = [['dash'], ['bash', '--posix']] as const;

t.test('--dry-run and --verify change nothing, and tell what is there', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  const onNode = execIn(node);
  await leave(onNode);
  await leaveRoutes(node);
  const before = [await oursLeft(onNode), await routesLeft(onNode)];
  const verified = await cleanup(onNode, '--verify');
  t.match(verified, { code: 3, stderr: '' });
  t.match(verified.stdout, 'legacy: found chain aad-metadata-guard in table mangle (jumps to it: 2)\n');
  t.match(verified.stdout, 'ip: found routing rules of --guard=both: 3\n');
  t.notMatch(verified.stdout, /removed/);
  const dry = await cleanup(onNode, '--dry-run');
  t.match(dry, { code: 0, stderr: '' });
  t.match(dry.stdout, '# nft: found chain aad-metadata in table nat (jumps to it: 1)\n');
  t.match(
    dry.stdout,
    '\n*nat\n:aad-metadata - [0:0]\n-D PREROUTING -j aad-metadata\n-X aad-metadata\nCOMMIT\n',
  );
  t.match(dry.stdout, /\nip -4 rule flush pref \d+ protocol 169\n/);
  t.same([await oursLeft(onNode), await routesLeft(onNode)], before);
});

t.test('on a clean node --verify and --dry-run say so with 0', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  t.same(await cleanup(onNode, '--verify'), { code: 0, stdout: 'nothing of ours found\n', stderr: '' });
  t.same(await cleanup(onNode, '--dry-run'), { code: 0, stdout: '# nothing of ours found\n', stderr: '' });
});

t.test('what --dry-run prints is a script that does the removal', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  const onNode = execIn(node);
  await leave(onNode, { times: 2 });
  await leaveRoutes(node);
  const awkward = '-A OUTPUT -p tcp -m comment --comment "it\'s $(a) `b` \\"c\\" \\\\" -j aad-metadata';
  await onNode('iptables-nft-restore', ['--noflush'], {
    timeoutMs: 5_000,
    stdin: `*nat\n${awkward}\nCOMMIT\n`,
  });
  const { stdout } = await cleanup(onNode, '--dry-run');
  t.match(await onNode('sh', ['-eu'], { timeoutMs: 60_000, stdin: stdout }), { code: 0, stderr: '' });
  t.match(await cleanup(onNode, '--verify'), { code: 0 });
});

for (const shell of shells) {
  t.test(`runs in ${shell[0]}, from stdin as over SSH`, { skip }, async (t) => {
    const onNode = execIn(throwAwayNamespace(t));
    const [file, ...args] = shell;
    const stdin = readFileSync(program, 'utf8');
    await leave(onNode);
    const run = (...more: readonly string[]) =>
      onNode(file, [...args, '-s', '--', ...more], { timeoutMs: 60_000, stdin });
    t.match(await run('--verify'), { code: 3, stderr: '' });
    t.match(await run(), { code: 0, stderr: '' });
    t.match(await run('--verify'), { code: 0, stdout: 'nothing of ours found\n', stderr: '' });
  });
}

t.test('explains itself, and refuses arguments that it does not know', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  const help = await cleanup(onNode, '--help');
  t.match(help, { code: 0, stdout: /^usage: cleanup-iptables/, stderr: '' });
  for (const word of ['--dry-run', '--verify', 'Exit status']) t.match(help.stdout, word);
  t.same(await cleanup(onNode, '-h'), help);
  const stderr = /^cleanup-iptables: takes nothing or one of --dry-run, --verify and --help, not ".*"\n$/;
  for (const args of [['--force'], ['--dry-run', '--verify'], ['--help', 'x'], ['']])
    t.match(await cleanup(onNode, ...args), { code: 2, stdout: '', stderr }, args.join(' '));
});
