import t from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { createLogger } from '../../lib/platform/log.ts';
import { restoreText } from '../../lib/redirect/compare.ts';
import { createIptables } from '../../lib/redirect/iptables.ts';
import { Keeper } from '../../lib/redirect/keeper.ts';
import { redirectChain } from '../../lib/redirect/rules.ts';
import { addresses } from '../lab/addresses.ts';
import { atOnce } from '../redirect/setup.ts';
import { skip } from './namespaces.ts';
import { agent, metadata, oursLeft, podPort, setScene } from './scene.ts';

for (const backend of ['nft', 'legacy'] as const) {
  t.test(`on the real kernel, ${backend}`, { skip }, async (t) => {
    const scene = await setScene(t);
    const { onNode, ask } = scene;
    const redirect = scene.redirect(backend);
    const flush = (table: string) =>
      onNode(`iptables-${backend}`, ['-w', '5', '-t', table, '-F'], { timeoutMs: 10_000 });

    t.test('without us a pod reaches Azure, so that what follows means something', async (t) => {
      t.same(await ask('pod', metadata), { azure: 1 });
      t.same(await ask('pod', agent), { agent: 1 });
    });

    t.test('the guard alone lets nothing of a pod through, and spares the node itself', async (t) => {
      await redirect.raiseGuard();
      const before = scene.azureHits();
      t.same(await ask('pod', metadata), { silence: 1 });
      t.equal(scene.azureHits(), before);
      t.same(await ask('node', metadata), { azure: 1 });
    });

    t.test("a pod's request lands at the agent", async (t) => {
      await redirect.redirect(podPort);
      t.match(redirect.state(), { backend, guard: 'present', redirect: 'present' });
      t.same(await ask('pod', metadata, 20), { agent: 20 });
    });

    t.test('a pod cannot speak to the agent directly; the node can, for its probes', async (t) => {
      t.same(await ask('pod', agent), { silence: 1 });
      t.same(await ask('node', agent), { agent: 1 });
    });

    t.test('with nat flushed nothing passes, and the next look brings it back', async (t) => {
      const before = scene.azureHits();
      await flush('nat');
      t.same(await ask('pod', metadata), { silence: 1 });
      t.equal(scene.azureHits(), before);
      await redirect.redirect(podPort);
      t.same(await ask('pod', metadata), { agent: 1 });
    });

    t.test('with mangle flushed the redirect holds, and the next look brings the guard back', async (t) => {
      await flush('mangle');
      t.same(await ask('pod', metadata), { agent: 1 });
      t.same(await ask('pod', agent), { agent: 1 });
      await redirect.redirect(podPort);
      t.same(await ask('pod', agent), { silence: 1 });
    });

    t.test('withdrawn, nothing of ours is left in either backend', async (t) => {
      t.equal((await redirect.withdraw(atOnce)).length, 12);
      t.same(await oursLeft(onNode), []);
      t.same(await ask('pod', metadata), { azure: 1 });
    });

    t.test("a predecessor's chain is taken over without a moment without redirect", async (t) => {
      await scene.listen('predecessor', 2580);
      const iptables = createIptables(onNode, backend);
      const original = `! -s 127.0.0.1/32 -d ${addresses.imds}/32 -p tcp -m tcp --dport 80 -j DNAT`;
      const chain = [
        ':aad-metadata - [0:0]',
        `-A aad-metadata ${original} --to-destination ${addresses.node}:2580`,
        '-A aad-metadata -j RETURN',
      ];
      await iptables.restore(restoreText('nat', [...chain, '-A PREROUTING -j aad-metadata']));
      // No guard here: it would hide a gap, by a second's silence in place of an answer from Azure.
      const log = createLogger('json', { to: { write: () => undefined } });
      const keeper = new Keeper({ log, clock: systemClock, onRepair: () => undefined });
      let asking = true;
      const asked = ask('pod', metadata, 1_000).finally(() => {
        asking = false;
      });
      let rounds = 0;
      while (asking) {
        await iptables.restore(restoreText('nat', chain));
        await keeper.mend(iptables, redirectChain(scene.rules, podPort));
        rounds++;
      }
      const { agent = 0, predecessor = 0, ...others } = await asked;
      t.same(others, {});
      t.equal(agent + predecessor, 1_000);
      t.ok(agent > 0 && predecessor > 0 && rounds > 2, `${rounds} rounds: ${agent} and ${predecessor}`);
    });
  });
}
