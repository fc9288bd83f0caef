import t, { type Test } from 'tap';
import type { RedirectOptions } from '../../lib/redirect/redirect.ts';
import { eventually } from '../lab/eventually.ts';
import { skip } from './namespaces.ts';
import { type Client, type OldConnections, podPort, setOldConnections } from './old-connections.ts';

/**
 * No connection that a pod opened before the redirect stood goes on to Azure. What ends it is the guard; deleting its conntrack
 * entry adds that the pod is told, by a reset, where its own packet is the first to come after the deletion.
 */

const three = ['idle', 'answered', 'pipelining'] as const;

/** One that is idle after an answer, one whose answer never ends, one with eight requests under way at any time. */
async function openThree(client: Client): Promise<void> {
  for (const name of three) await client.open(name);
  await client.say('idle', '/before');
  await client.say('answered', '/stream');
  await client.pipeline('pipelining');
  const times = { idle: 1, answered: 5, pipelining: 20 };
  for (const name of three)
    await eventually(`Azure answers ${name}`, () => client.heard(name).length >= times[name]);
}

async function sayOnAll(client: Client): Promise<void> {
  for (const name of three) await client.say(name, '/after');
}

/** As at the agent's start. */
async function start({ redirect }: OldConnections, more?: Partial<RedirectOptions>) {
  const stage = redirect(more);
  await stage.raiseGuard();
  await stage.redirect(podPort);
  return stage;
}

/**
 * Whatever the pod says on the three, none of it reaches Azure; when it connects anew, the agent answers. `fate` resolves when
 * what it said has met it.
 */
async function nothingPasses(t: Test, scene: OldConnections, fate: () => Promise<unknown>): Promise<void> {
  const { pod, azureAsked } = scene;
  const before = await azureAsked();
  await sayOnAll(pod);
  await fate();
  await pod.open('new');
  await pod.say('new', '/new');
  await eventually('the new connection is answered', () => pod.heard('new').length > 0);
  t.same(pod.heard('new'), ['agent']);
  t.same(await azureAsked(), before);
}

/** The idle one: on the others, a packet of Azure's mostly comes first, and makes an entry that leads back there. */
const idleIsReset = ({ pod }: OldConnections) => eventually('the pod is told', () => pod.isReset('idle'));

for (const backend of ['nft', 'legacy'] as const) {
  t.test(`connections from before, ${backend}`, { skip }, async (t) => {
    t.test('are known to the kernel, and go on where nothing stops them', async (t) => {
      const scene = await setOldConnections(t, backend);
      const { pod, tracked, azureAsked } = scene;
      await openThree(pod);
      t.equal(await tracked(), 3);
      await start(scene, { guard: 'off', conntrackDeletion: false });
      await sayOnAll(pod);
      await eventually(
        'Azure is asked on each',
        async () => (await azureAsked()).filter((line) => line === '/after').length === 3,
      );
    });

    t.test('end: an idle one with a reset, one that is answered, and one that pipelines', async (t) => {
      const scene = await setOldConnections(t, backend);
      await openThree(scene.pod);
      await start(scene);
      await nothingPasses(t, scene, () => idleIsReset(scene));
    });

    t.test('are silent while only the guard stands', async (t) => {
      const { pod, redirect, azureAsked, dropped } = await setOldConnections(t, backend);
      await openThree(pod);
      await redirect().raiseGuard();
      const before = await azureAsked();
      await sayOnAll(pod);
      await dropped(6);
      t.same(await azureAsked(), before);
      t.notOk(three.some((name) => pod.isReset(name)));
    });

    t.test('die in the guard without deletion as well, but the pod is not told', async (t) => {
      const scene = await setOldConnections(t, backend);
      await openThree(scene.pod);
      await start(scene, { conntrackDeletion: false });
      await nothingPasses(t, scene, () => scene.dropped(6));
      t.notOk(three.some((name) => scene.pod.isReset(name)));
    });

    t.test('die in the guard where the kernel takes up no connection midway', async (t) => {
      const scene = await setOldConnections(t, backend);
      await openThree(scene.pod);
      const loose = '/proc/sys/net/netfilter/nf_conntrack_tcp_loose';
      t.match(await scene.onNode('tee', [loose], { timeoutMs: 10_000, stdin: '0' }), { code: 0 });
      await start(scene);
      t.equal(await scene.tracked(), 0);
      await nothingPasses(t, scene, () => scene.dropped(6));
      t.notOk(three.some((name) => scene.pod.isReset(name)));
    });

    t.test('end with the repair when they were opened while both tables were flushed', async (t) => {
      const scene = await setOldConnections(t, backend);
      const stage = await start(scene);
      for (const table of ['nat', 'mangle']) await scene.iptables(`-t ${table} -F`);
      await openThree(scene.pod);
      await stage.redirect(podPort);
      await nothingPasses(t, scene, () => idleIsReset(scene));
    });

    t.test('succeed at the agent when they were begun while nat was flushed', async (t) => {
      const scene = await setOldConnections(t, backend);
      const stage = await start(scene);
      await scene.iptables('-t nat -F');
      const dropped = scene.dropped();
      await scene.pod.begin('begun', '/begun');
      await dropped;
      await stage.redirect(podPort);
      await eventually('it is answered', () => scene.pod.heard('begun').length > 0);
      t.same(scene.pod.heard('begun'), ['agent']);
      t.same(await scene.azureAsked(), []);
    });

    t.test('die in the guard when they are not tracked, and new ones too', async (t) => {
      const scene = await setOldConnections(t, backend);
      const { pod, azureAsked } = scene;
      await openThree(pod);
      await start(scene);
      await scene.iptables('-t raw -A PREROUTING -i cbr0 -p tcp -j NOTRACK');
      const before = await azureAsked();
      await pod.begin('untracked', '/untracked');
      await sayOnAll(pod);
      await scene.dropped(6);
      t.same(await azureAsked(), before);
      t.same(pod.heard('untracked'), []);
    });

    t.test("of the node's own go on through it all", async (t) => {
      const scene = await setOldConnections(t, backend);
      const { node } = scene;
      await openThree(node);
      const stage = await start(scene);
      await scene.iptables('-t nat -F');
      await stage.redirect(podPort);
      const before = three.map((name) => node.heard(name).length);
      await node.say('idle', '/after');
      for (const [index, name] of three.entries())
        await eventually(`${name} goes on`, () => node.heard(name).length > (before[index] ?? 0));
      t.notOk(three.some((name) => node.isReset(name)));
    });
  });
}
