import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RouteGuard } from '../../lib/redirect/route-guard.ts';
import { addresses } from '../lab/addresses.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { atOnce } from '../redirect/setup.ts';
import { skip } from './namespaces.ts';
import { agent, metadata, oursLeft, podPort, type Scene, setScene } from './scene.ts';

const timeoutMs = 10_000;

/** Nothing stays in any table of either backend. */
async function flushAll({ onNode }: Scene): Promise<void> {
  for (const backend of ['nft', 'legacy'])
    for (const table of ['raw', 'mangle', 'nat', 'filter'])
      for (const how of ['-F', '-X'])
        await onNode(`iptables-${backend}`, ['-w', '5', '-t', table, how], { timeoutMs });
}

/** The kernel drops what comes in where its answer would not go out. */
async function checkPathsStrictly({ onNode }: Scene): Promise<void> {
  for (const where of ['all', 'cbr0', 'eth0'])
    await onNode('tee', [`/proc/sys/net/ipv4/conf/${where}/rp_filter`], { timeoutMs, stdin: '1' });
}

async function startRelay({ onNode }: Scene): Promise<void> {
  const { stdout } = await onNode('ip', ['netns', 'identify'], { timeoutMs });
  const args = [addresses.node, `${podPort + 1}`, ...metadata.split(':')];
  const relay = startProcess({
    namespace: stdout.trim(),
    command: [process.execPath, join(import.meta.dirname, 'relay.ts'), ...args],
    log: `/run/pod-identity-lab/${stdout.trim().split('-')[1]}/relay`,
  });
  await ready('relay', relay);
}

for (const backend of ['nft', 'legacy'] as const) {
  t.test(`the guard of routing rules, with ${backend}`, { skip }, async (t) => {
    const scene = await setScene(t);
    const { ask } = scene;
    await checkPathsStrictly(scene);
    const redirect = scene.redirect(backend, { guard: 'both' });
    const unseen = async (t: Test, why: string): Promise<void> => {
      const before = scene.azureHits();
      t.same(await ask('pod', metadata), { silence: 1 }, why);
      t.equal(scene.azureHits(), before, why);
    };

    t.test('alone, every table flushed and no keeper, it lets nothing of a pod through', async (t) => {
      await flushAll(scene);
      t.same(await ask('pod', metadata), { azure: 1 }, 'without it a pod reaches Azure');
      await redirect.raiseGuard();
      await flushAll(scene);
      t.same(await oursLeft(scene.onNode), [], 'there is no line of ours in either backend');
      await unseen(t, 'the routing rules stand');
    });

    t.test('and spares the node itself', async (t) => {
      t.same(await ask('node', metadata), { azure: 1 });
    });

    t.test("and all else of a pod's, both ways", async (t) => {
      t.same(await ask('pod', agent), { agent: 1 });
      t.same(await ask('pod', `${addresses.azure}:81`), { refused: 1 });
    });

    t.test("a redirected request lands at the agent, and the node's own at Azure", async (t) => {
      await redirect.redirect(podPort);
      t.same(await ask('pod', metadata, 20), { agent: 20 });
      t.same(await ask('node', metadata), { azure: 1 });
    });

    t.test("an excepted pod's request goes out by the agent", async (t) => {
      await startRelay(scene);
      await redirect.redirect(podPort + 1);
      t.same(await ask('pod', metadata), { azure: 1 });
    });

    t.test('flushed again, the next look brings the chains back; nothing passes meanwhile', async (t) => {
      await flushAll(scene);
      await unseen(t, 'until then');
      await redirect.redirect(podPort);
      t.same(await ask('pod', metadata), { agent: 1 });
    });

    t.test('withdrawn, nothing of it is left', async (t) => {
      const removed = await redirect.withdraw(atOnce);
      t.equal(removed.filter((line) => line.startsWith('ip rule: ')).length, 3);
      t.same(await ask('pod', metadata), { azure: 1 });
    });
  });
}

t.test('the rules go in and out without a moment in which the node is cut off', { skip }, async (t) => {
  const { onNode, ask, rules } = await setScene(t);
  const guard = new RouteGuard(onNode, rules);
  let asking = true;
  const asked = ask('node', metadata, 1_000).finally(() => {
    asking = false;
  });
  let rounds = 0;
  while (asking) {
    await guard.mend();
    await guard.withdraw();
    rounds++;
  }
  t.same(await asked, { azure: 1_000 });
  t.ok(rounds > 2, `${rounds} rounds`);
});
