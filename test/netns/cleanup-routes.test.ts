import t from 'tap';
import { readTables } from '../../lib/pods/neighbour-tables.ts';
import { ipIn } from '../lab/namespaces.ts';
import { cleanup, leaveRoutes, routesInOrder, routesLeft, theirRoutes } from './cleanup-scene.ts';
import { execIn, skip, throwAwayNamespace } from './namespaces.ts';

/** What is not iptables: the routing rules of `--guard=both`, and the pins of `--pin-neighbours`. */

const mac = (last: number): string => `0a:58:0a:62:01:${last.toString(16).padStart(2, '0')}`;

/** Pins of two pods on one bridge; and a permanent neighbour and a fixed forwarding entry of somebody else. */
async function leavePins(node: string): Promise<void> {
  ipIn(node, [
    // An address of its own, as CNIs give it: one that it has of a port goes with the port, and every neighbour entry with it.
    'link add cbr0 address 02:00:00:00:00:01 type bridge',
    ...[10, 11, 12].flatMap((n) => [
      `link add veth${n} type veth peer name eth${n}`,
      `link set veth${n} master cbr0 up`,
    ]),
    'link set cbr0 up',
    'address add 10.98.1.1/24 dev cbr0',
    ...[10, 11].map((n) => `neigh replace 10.98.1.${n} lladdr ${mac(n)} dev cbr0 nud permanent protocol 169`),
    `neigh replace 10.98.1.12 lladdr ${mac(12)} dev cbr0 nud permanent`,
  ]);
  for (const n of [10, 11, 12]) {
    const args = ['fdb', 'replace', mac(n), 'dev', `veth${n}`, 'master', 'static', 'sticky'];
    await execIn(node)('bridge', args, { timeoutMs: 5_000 });
  }
}

/** The last byte of what is permanent, and of what is fixed to a port. */
async function pinsLeft(node: string) {
  const { neighbours, forwarding } = await readTables(execIn(node));
  return {
    permanent: neighbours.filter(({ permanent }) => permanent).map(({ ip }) => ip),
    fixed: forwarding.filter(({ fixed }) => fixed).map(({ port }) => port),
  };
}

t.test('removes the routing rules with our protocol and no other', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  const onNode = execIn(node);
  await leaveRoutes(node);
  t.same(await cleanup(onNode), {
    code: 0,
    stdout: 'ip: found routing rules of --guard=both: 3\nip: removed routing rules of --guard=both: 3\n',
    stderr: '',
  });
  t.same(await routesLeft(onNode), theirRoutes);
  t.match(await cleanup(onNode), { code: 0, stdout: 'nothing of ours found\n' });
});

t.test('the rule that drops goes before the one that spares the node', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  await leaveRoutes(node);
  const { stdout } = await cleanup(execIn(node), '--dry-run');
  t.same(
    [...stdout.matchAll(/flush pref (\d+)/g)].map(([, pref]) => pref),
    routesInOrder,
  );
});

t.test('clears what is left of the routing rules, whichever they are', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  ipIn(node, ['rule add pref 98 iif lo goto 100 protocol 169', 'rule add pref 97 nop protocol 169']);
  t.match(await cleanup(execIn(node)), { code: 0, stdout: /removed routing rules of --guard=both: 2\n/ });
  t.same(await routesLeft(execIn(node)), []);
});

t.test("removes pins, and no permanent entry of another program's", { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  await leavePins(node);
  t.match(await cleanup(execIn(node), '--verify'), { code: 3, stdout: 'ip: found pinned neighbours: 2\n' });
  t.same(await cleanup(execIn(node)), {
    code: 0,
    stdout: 'ip: found pinned neighbours: 2\nip: removed pinned neighbours: 2\n',
    stderr: '',
  });
  t.same(await pinsLeft(node), { permanent: ['10.98.1.12'], fixed: ['veth12'] });
  t.match(await cleanup(execIn(node)), { code: 0, stdout: 'nothing of ours found\n' });
});

t.test('removes the pin of a pod whose port is gone', { skip }, async (t) => {
  const node = throwAwayNamespace(t);
  await leavePins(node);
  ipIn(node, ['link delete veth10']);
  t.match(await cleanup(execIn(node)), { code: 0, stderr: '' });
  t.same(await pinsLeft(node), { permanent: ['10.98.1.12'], fixed: ['veth12'] });
});
