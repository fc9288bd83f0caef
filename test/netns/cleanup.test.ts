import t from 'tap';
import { messageOf } from '../../lib/model/errors.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import { restoreText } from '../../lib/redirect/compare.ts';
import { createIptables } from '../../lib/redirect/iptables.ts';
import { both, cleanup, leave, program } from './cleanup-scene.ts';
import { execIn, skip, throwAwayNamespace } from './namespaces.ts';
import { oursLeft } from './scene.ts';

t.test(
  'clears what a killed agent left in both backends, says so, and finds nothing the second time',
  { skip },
  async (t) => {
    const onNode = execIn(throwAwayNamespace(t));
    await leave(onNode);
    const first = await cleanup(onNode);
    t.match(first, { code: 0, stderr: '' });
    for (const backend of both) {
      t.match(first.stdout, `${backend}: removed chain aad-metadata in table nat (jumps to it: 1)\n`);
      t.match(
        first.stdout,
        `${backend}: removed chain aad-metadata-guard in table mangle (jumps to it: 2)\n`,
      );
    }
    t.same(await oursLeft(onNode), []);
    t.match(await cleanup(onNode), { code: 0, stdout: 'nothing of ours found\n', stderr: '' });
  },
);

t.test(
  'removes any number of doubles, and jumps that others made, and nothing of theirs',
  { skip },
  async (t) => {
    const onNode = execIn(throwAwayNamespace(t));
    await leave(onNode, { times: 3 });
    const theirs = [
      ':theirs - [0:0]',
      '-A PREROUTING -m comment --comment "not -j aad-metadata" -j theirs',
      '-A theirs -m comment --comment "a \\"b\\" $(c)" -g aad-metadata',
      '-A OUTPUT -p tcp -j aad-metadata',
    ];
    for (const backend of both) await createIptables(onNode, backend).restore(restoreText('nat', theirs));
    const { code, stdout } = await cleanup(onNode);
    t.equal(code, 0);
    t.match(stdout, 'nft: removed chain aad-metadata in table nat (jumps to it: 5)\n');
    for (const backend of both) {
      const listed = await createIptables(onNode, backend).list('nat');
      t.match(listed, { kind: 'lines' });
      const left = 'lines' in listed ? listed.lines.filter((line) => !line.startsWith('-P ')) : [];
      t.same(
        left,
        ['-N theirs', '-A PREROUTING -m comment --comment "not -j aad-metadata" -j theirs'],
        backend,
      );
    }
  },
);

t.test("knows the original agent's chain", { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  const dnat =
    '! -s 127.0.0.1/32 -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:2579';
  const original = [
    ':aad-metadata - [0:0]',
    `-A aad-metadata ${dnat}`,
    '-A aad-metadata -j RETURN',
    '-I PREROUTING 1 -j aad-metadata',
  ];
  await createIptables(onNode, 'legacy').restore(restoreText('nat', original));
  t.match(await cleanup(onNode), { code: 0, stdout: /^legacy: found chain aad-metadata in table nat/ });
  t.same(await oursLeft(onNode), []);
});

t.test('does not create legacy tables by looking for them', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  t.match(await cleanup(onNode), { code: 0, stdout: 'nothing of ours found\n' });
  t.equal((await onNode('cat', ['/proc/net/ip_tables_names'], { timeoutMs: 5_000 })).stdout, '');
});

const noNft =
  skip ||
  (await systemExec('nft', ['-v'], { timeoutMs: 5_000 }).then(
    ({ code }) => code !== 0 && 'nft fails',
    messageOf,
  ));

t.test("removes ours where another program's rules make a table unprintable", { skip: noNft }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  await leave(onNode);
  const native = 'add chain ip nat theirs; add rule ip nat theirs meta mark set ct mark';
  await onNode('nft', [native], { timeoutMs: 5_000 });
  t.match(await createIptables(onNode, 'nft').list('nat'), { kind: 'incompatible' });
  t.match(await cleanup(onNode), { code: 0, stdout: /nft: removed chain aad-metadata in table nat/ });
  t.match(await createIptables(onNode, 'nft').list('nat', 'PREROUTING'), { lines: ['-P PREROUTING ACCEPT'] });
});

t.test('fails with one sentence without the right to do it', { skip }, async (t) => {
  const onNode = execIn(throwAwayNamespace(t));
  await leave(onNode);
  const before = await oursLeft(onNode);
  const args = ['--bounding-set', '-all', '--inh-caps', '-all', program];
  const { code, stdout, stderr } = await onNode('setpriv', args, { timeoutMs: 30_000 });
  t.match({ code, stdout }, { code: 1, stdout: '' });
  t.match(stderr, /^cleanup-iptables: must be run as root [^\n]+\n$/);
  t.same(await oursLeft(onNode), before);
});
