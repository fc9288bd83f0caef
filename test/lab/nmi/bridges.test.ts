import t from 'tap';
import { eventually } from '../eventually.ts';
import { unavailable } from '../namespaces.ts';
import { ask, scene } from './scene.ts';

/** Pods of the lab share a bridge, on which one with NET_RAW can take its neighbour's address. */
const skip = unavailable() ?? false;

t.test('the agent warns of a bridge, once; --pin-neighbours pins its pods', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  await lab.addPod({ name: 'late', labels: { aadpodidbinding: 'demo' } });
  t.equal((await ask(lab, 'late')).status, 200);
  const warnings = (): unknown[] => agent.logs().filter(({ level, bridge }) => level === 'warn' && bridge);
  await eventually('the warning is written', () => warnings().length > 0);
  const pinned = async (): Promise<string[]> => {
    const { stdout } = await lab.onNode(['ip', 'neighbour', 'show', 'nud', 'permanent', 'dev', 'cbr0']);
    return stdout.split('\n').flatMap((line) => /^(10\.98\.1\.\d+) /.exec(line)?.[1] ?? []);
  };
  t.same(await pinned(), []);
  t.equal(await agent.stop(), 0);
  t.equal(warnings().length, 1);

  const pinning = lab.startAgent({ flags: { 'pin-neighbours': true } });
  await pinning.ready();
  const all = ['10.98.1.10', '10.98.1.11', '10.98.1.12'];
  await eventually('all pods are pinned', async () => (await pinned()).sort().join() === all.join());
  t.equal((await ask(lab, 'late')).status, 200);
  t.equal(await pinning.stop(), 0);
  t.same(await pinned(), [], 'SIGTERM takes the pins out');
});
