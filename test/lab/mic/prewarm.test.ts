import t from 'tap';
import { eventually } from '../eventually.ts';
import { unavailable } from '../namespaces.ts';
import * as scene from './scene.ts';

/** `--prewarm=binding`, with the node as one of a scale set. One lab for all, in turn. */
const skip = unavailable() ?? false;
let all: scene.MicScene;

t.before(async () => {
  if (skip) return;
  all = await scene.micScene(t, {
    flags: { prewarm: 'binding', 'identity-assignment-reconcile-interval': '24h' },
    before: async (lab, arm) => {
      await scene.joinPool(lab, arm);
      return {};
    },
  });
});

async function patches(): Promise<number> {
  return (await all.arm.log()).filter(({ method }) => method === 'PATCH').length;
}

t.test(
  'an identity stays on the scale set where a pod had it, and the next pod has it though ARM is in trouble',
  { skip },
  async (t) => {
    const { lab, arm } = all;
    await scene.bind(all, 'warm');
    await scene.addPod(lab, 'first', 'warm');
    t.equal(await scene.tokenOf(lab, 'first'), 'warm');
    t.equal(await patches(), 1);
    await lab.removePod('first');
    await scene.assigned(lab, ['first'], ['first warm Unassigned']);

    await arm.fault({ kind: 'status', status: 503, count: 1_000 });
    await scene.addPod(lab, 'second', 'warm');
    t.equal(await scene.tokenOf(lab, 'second'), 'warm');
    await scene.assigned(lab, ['first', 'second'], ['second warm Assigned']);
    await scene.addFarPod(lab, 'far', 'pool000000', 'warm');
    await scene.assigned(lab, ['far'], ['far warm Assigned']);
    t.equal(await patches(), 1);
    t.same((await scene.on(arm, 'pool')).names, ['warm']);
    await arm.clearFaults();
  },
);

t.test('it stays as long as a binding names it, and no longer', { skip }, async (t) => {
  const { lab, arm } = all;
  await lab.removePod('second');
  await scene.deletePod(lab, 'far');
  await eventually('one assignment remembers it', async () => {
    const left = await scene.assignments(lab, 'second', 'far');
    return left.length === 1 && left[0]?.endsWith(' warm Unassigned');
  });
  t.same((await scene.on(arm, 'pool')).names, ['warm']);
  await lab.kube.delete('AzureIdentityBinding', 'warm');
  await scene.assigned(lab, ['second', 'far'], []);
  t.same((await scene.on(arm, 'pool')).names, []);
});

t.test('a MIC without the flag takes it off, so that nothing is kept by default', { skip }, async (t) => {
  const { lab, arm, mic } = all;
  await scene.bind(all, 'default');
  await scene.addPod(lab, 'last', 'default');
  t.equal(await scene.tokenOf(lab, 'last'), 'default');
  await lab.removePod('last');
  await scene.assigned(lab, ['last'], ['last default Unassigned']);
  t.equal(await mic.stop(), 0);
  await scene.leads(lab.startMic());
  await scene.assigned(lab, ['last'], []);
  t.same((await scene.on(arm, 'pool')).names, []);
});
