import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import { createLogger } from '../../lib/platform/log.ts';
import type { PodAddress } from '../../lib/pods/bridges.ts';
import { readTables } from '../../lib/pods/neighbour-tables.ts';
import { createNeighbourPins } from '../../lib/pods/neighbours.ts';
import { addresses } from '../lab/addresses.ts';
import { eventually } from '../lab/eventually.ts';
import { ipIn } from '../lab/namespaces.ts';
import { type BridgeNode, macOf, owner, setBridgeNode, takeAddress, thiefAddress } from './bridge-node.ts';
import { execIn, skip } from './namespaces.ts';

const bridges = [{ name: 'cbr0', subnets: [`${addresses.bridge}/24`] }];
const app: PodAddress = { ip: owner, pod: 'apps/app' };
const thief: PodAddress = { ip: thiefAddress, pod: 'apps/thief' };

/** Pins on the node, kept until the test or `kill` ends them. */
function pinsOn(t: Test, { node }: BridgeNode, held: readonly PodAddress[]) {
  const logged: { msg: string; ip?: string }[] = [];
  const world = { held };
  const pins = createNeighbourPins({
    exec: execIn(node),
    clock: systemClock,
    log: createLogger('json', { to: { write: (line: string) => void logged.push(JSON.parse(line)) } }),
    random: () => 0,
    bridges: () => bridges,
    held: () => world.held,
  });
  const end = new AbortController();
  const kept = pins.keep(end.signal);
  const kill = async (): Promise<void> => {
    end.abort();
    await kept;
  };
  t.teardown(kill);
  return { pins, logged, world, kill };
}

/** The addresses with our mark, and whether each is whole: permanent, and its MAC fixed to a port. */
async function pinned(node: string): Promise<Record<string, string | undefined>> {
  const { neighbours, forwarding } = await readTables(execIn(node));
  return Object.fromEntries(
    neighbours
      .filter(({ ours, permanent }) => ours && permanent)
      .map(({ ip, mac }) => [ip, forwarding.find((one) => one.mac === mac && one.fixed)?.port]),
  );
}

const whole = (node: string, ...ips: string[]) =>
  eventually(`${ips} are pinned`, async () => {
    const now = await pinned(node);
    return Object.keys(now).length === ips.length && ips.every((ip) => now[ip] !== undefined);
  });

for (const how of ['its address', 'its address and its MAC'] as const) {
  t.test(`a pod that takes ${how} gets the node's answers to its neighbour`, { skip }, async (t) => {
    const scene = await setBridgeNode(t);
    t.equal(await scene.ask(scene.app), 'node');
    await takeAddress(scene, { withMac: how !== 'its address' });
    await eventually('the thief is answered', async () => (await scene.ask(scene.thief)) === 'node');
  });

  t.test(`with pins a pod that takes ${how} gets nothing; the owner does`, { skip }, async (t) => {
    const scene = await setBridgeNode(t);
    pinsOn(t, scene, [app, thief]);
    await whole(scene.node, owner, thiefAddress);
    t.equal(await scene.ask(scene.app), 'node');
    await takeAddress(scene, { withMac: how !== 'its address' });
    const before = await scene.resets(scene.app);
    t.equal(await scene.ask(scene.thief), 'silence');
    t.ok(
      (await scene.resets(scene.app)) > before,
      'the answer came to the owner, who knows of no such connection',
    );
  });
}

t.test(
  'a thief that is found answering for its neighbour is not pinned in its place',
  { skip },
  async (t) => {
    const scene = await setBridgeNode(t);
    const { pins, logged, world } = pinsOn(t, scene, [thief]);
    await whole(scene.node, thiefAddress);
    ipIn(scene.app, ['link set eth0 down']);
    ipIn(scene.thief, [`address add ${owner}/24 dev eth0`]);
    world.held = [app, thief];
    pins.trigger();
    await eventually('the thief is told', () => logged.find(({ msg }) => msg.includes("another pod's port")));
    t.same(Object.keys(await pinned(scene.node)), [thiefAddress]);
    ipIn(scene.thief, [`address delete ${owner}/24 dev eth0`]);
    ipIn(scene.app, ['link set eth0 up', `route replace default via ${addresses.bridge}`]);
    await whole(scene.node, owner, thiefAddress);
  },
);

t.test('a pod that is made again with its old address is reached, and pinned anew', { skip }, async (t) => {
  const scene = await setBridgeNode(t);
  const { pins } = pinsOn(t, scene, [app]);
  await whole(scene.node, owner);
  const before = await macOf(scene.app, 'eth0');
  scene.remakeApp();
  t.not(await macOf(scene.app, 'eth0'), before);
  pins.trigger();
  await whole(scene.node, owner);
  t.equal(await scene.ask(scene.app), 'node');
});

t.test(
  'what a killed agent left is kept for pods that are there and removed for others',
  { skip },
  async (t) => {
    const scene = await setBridgeNode(t);
    const first = pinsOn(t, scene, [app, thief]);
    await whole(scene.node, owner, thiefAddress);
    await first.kill();
    t.equal(Object.keys(await pinned(scene.node)).length, 2);
    const second = pinsOn(t, scene, [app]);
    await whole(scene.node, owner);
    t.same(
      second.logged.map(({ msg, ip }) => [msg, ip]),
      [['neighbour released', undefined]],
    );
  },
);

t.test("withdrawn, nothing of ours is left, and another program's entries are", { skip }, async (t) => {
  const scene = await setBridgeNode(t);
  const theirs = 'neigh replace 10.98.1.77 lladdr 02:00:00:00:00:77 dev cbr0 nud permanent';
  ipIn(scene.node, [theirs]);
  const { pins, kill } = pinsOn(t, scene, [app, thief]);
  await whole(scene.node, owner, thiefAddress);
  await kill();
  await pins.withdraw();
  t.same(await pinned(scene.node), {});
  const { neighbours, forwarding } = await readTables(execIn(scene.node));
  t.same(
    neighbours.filter(({ permanent }) => permanent).map(({ ip }) => ip),
    ['10.98.1.77'],
  );
  t.same(
    forwarding.filter(({ fixed }) => fixed),
    [],
  );
  t.equal(await scene.ask(scene.app), 'node');
});

t.test('the command that the log names clears what is left by hand', { skip }, async (t) => {
  const scene = await setBridgeNode(t);
  const { kill } = pinsOn(t, scene, [app]);
  await whole(scene.node, owner);
  await kill();
  await execIn(scene.node)('ip', 'neigh flush nud permanent proto 169'.split(' '), { timeoutMs: 5_000 });
  t.same(await pinned(scene.node), {});
});

t.test("the node's bridge is found, and its subnet", { skip }, async (t) => {
  const { node } = await setBridgeNode(t);
  const module = join(import.meta.dirname, '../../lib/pods/bridges.ts');
  const text = `const { readBridges } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(readBridges()));`;
  // `ip netns exec`, since it shows the namespace's own /sys too.
  const args = ['netns', 'exec', node, process.execPath, '--input-type=module', '-e', text];
  const { stdout } = await systemExec('ip', args, { timeoutMs: 20_000 });
  t.same(JSON.parse(stdout), bridges);
});
