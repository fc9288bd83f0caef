import t from 'tap';
import { eventually } from '../eventually.ts';
import { unavailable } from '../namespaces.ts';
import { assignedByOriginal, changedByOriginal, originalAtWork, originalName } from './original.ts';
import * as scene from './scene.ts';

/** Our MIC in the place of the original's, which has made an assignment and still holds its lock. */
const skip = unavailable() ?? false;
t.test(
  "waits while the original's MIC is at work, and then takes over without a write or a PATCH",
  { skip },
  async (t) => {
    let stop = (): void => undefined;
    const { lab, arm } = await scene.micScene(t, {
      before: async (lab, arm) => {
        await scene.create(arm, 'kept');
        await scene.refit(arm, 'vm', 'foreign', 'kept');
        await scene.addPod(lab, 'kept');
        await assignedByOriginal(lab, 'kept');
        stop = await originalAtWork(t, lab);
        return {};
      },
      started: async (mic) => {
        await mic.ready();
        const why = `the original's MIC ${originalName} is at work`;
        // Before that, a busy machine may not have answered in time.
        await eventually('it says for whom it waits', () =>
          mic.logs().find((line) => line.msg === 'not leading; waiting' && line.why === why),
        );
        t.equal((await mic.probed('/healthz')).body, 'Not Active');
        stop();
      },
    });
    const name = 'kept-default-kept';
    const before = await lab.kube.get('AzureAssignedIdentity', name);
    await scene.bind({ lab, arm }, 'fresh');
    await scene.addPod(lab, 'fresh');
    t.equal(await scene.tokenOf(lab, 'fresh'), 'fresh', 'it is at work');
    t.equal(await scene.tokenOf(lab, 'kept'), 'kept');
    const { metadata } = (await lab.kube.get('AzureAssignedIdentity', name)) ?? {};
    t.equal(metadata?.resourceVersion, before?.metadata.resourceVersion, 'not written');
    t.equal(metadata?.uid, before?.metadata.uid);
    const patches = (await arm.log()).filter(({ method }) => method === 'PATCH');
    t.equal(patches.length, 1);
    t.notMatch(patches[0]?.body, /kept/);
    for (const pod of ['kept', 'fresh'])
      t.same(await changedByOriginal(lab, pod), [], `and back: the original would leave ${pod} as it is`);
  },
);
