import t from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { damage, damages } from './damage.ts';
import { skip } from './namespaces.ts';
import { metadata, oursLeft, podPort, setScene } from './scene.ts';

/** Each damage by hand, with the keeper at work: what stood stands again, and pods reach the agent. */
for (const backend of ['nft', 'legacy'] as const) {
  t.test(`the keeper heals on ${backend}`, { skip }, async (t) => {
    const scene = await setScene(t);
    const repairs: string[] = [];
    const redirect = scene.redirect(backend, {
      guard: 'both',
      // Often, so that a test of twenty damages is short; the pace itself is promised in test/redirect/keep.test.ts.
      updateSeconds: 0.2,
      onRepair: (what, found) => repairs.push(`${what}: ${found}`),
    });
    await redirect.raiseGuard();
    await redirect.redirect(podPort);
    const stop = new AbortController();
    const kept = redirect.keep(stop.signal);
    t.teardown(async () => {
      stop.abort();
      await kept;
      await redirect.withdraw(async () => undefined);
    });
    const before = await oursLeft(scene.onNode);

    for (const one of damages) {
      t.test(one.name, async (t) => {
        repairs.length = 0;
        const hits = scene.azureHits();
        await damage(scene.onNode, one, backend);
        const started = systemClock.monotonic();
        await eventually('a repair is told', () => repairs.length > 0);
        await eventually('all stands as before', async () => {
          const now = await oursLeft(scene.onNode);
          return now.join('\n') === before.join('\n');
        });
        t.comment(
          `${backend}: ${one.name}: healed in ${Math.round(systemClock.monotonic() - started)} ms: ${repairs}`,
        );
        t.same(await scene.ask('pod', metadata), { agent: 1 });
        t.equal(scene.azureHits(), hits, 'and nothing of a pod reached Azure');
      });
    }
  });
}
