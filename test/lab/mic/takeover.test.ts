import t, { type Test } from 'tap';
import type { ArmClient } from '../arm/control.ts';
import { eventually } from '../eventually.ts';
import type { KubeInput } from '../kube/object.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { pair } from '../nmi/standard-scene.ts';
import { assignedObject } from '../objects.ts';
import * as scene from './scene.ts';

/** Our MIC in the place of the original's, which has made an assignment and still holds its lock. */
const skip = unavailable() ?? false;
const finalizers = ['azureassignedidentity.finalizers.aadpodidentity.k8s.io'];
const lock = 'control-plane.alpha.kubernetes.io/leader';

/** What the original's leader writes every few seconds. */
function lockAt(second: number): KubeInput {
  const record = { holderIdentity: 'mic-5d9c7', leaseDurationSeconds: 2, renewTime: `${second}` };
  const annotations = { [lock]: JSON.stringify(record) };
  const metadata = { namespace: 'default', name: 'aad-pod-identity-mic', annotations };
  return { apiVersion: 'v1', kind: 'Endpoints', metadata };
}

/** Writes the lock until it is told to stop. */
async function original(t: Test, lab: Lab): Promise<() => void> {
  let second = 0;
  const renew = (): Promise<unknown> => lab.kube.apply(lockAt(second++));
  await renew();
  const timer = setInterval(() => void renew().catch(() => undefined), 500);
  const stop = (): void => clearInterval(timer);
  t.teardown(stop);
  return stop;
}

/** Pod `kept` with its identity on the VM and its assignment, as the original leaves them. */
async function assignedByOriginal(lab: Lab, arm: ArmClient): Promise<void> {
  await scene.create(arm, 'kept');
  await scene.refit(arm, 'vm', 'foreign', 'kept');
  await scene.declare(lab, 'kept');
  await scene.addPod(lab, 'kept');
  const { identity, binding } = pair('kept');
  // Applied once more, they come back as they stand: the original copies them whole.
  const copies = {
    ...{ identity: await lab.kube.apply(identity), binding: await lab.kube.apply(binding) },
    state: 'Assigned',
  } as const;
  const object = assignedObject({ name: 'kept', namespace: 'default' }, copies);
  await lab.kube.apply({ ...object, metadata: { ...object.metadata, finalizers } });
}

t.test(
  "waits while the original's MIC is at work, and then takes over without a write or a PATCH",
  { skip },
  async (t) => {
    let stop = (): void => undefined;
    const { lab, arm } = await scene.micScene(t, {
      before: async (lab, arm) => {
        await assignedByOriginal(lab, arm);
        stop = await original(t, lab);
        return {};
      },
      started: async (mic) => {
        await mic.ready();
        const why = "the original's MIC mic-5d9c7 is at work";
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
  },
);
