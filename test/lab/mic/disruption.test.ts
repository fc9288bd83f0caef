import t from 'tap';
import { eventually } from '../eventually.ts';
import { unavailable } from '../namespaces.ts';
import * as scene from './scene.ts';

/** Two MICs: one works, the other stands by, and no pod is lost between them. */
const skip = unavailable() ?? false;

t.test(
  'a standby takes over from a leader that is killed, and from one that leaves, at once',
  { skip },
  async (t) => {
    const all = await scene.micScene(t);
    const { lab, arm, mic: first } = all;
    const second = lab.startMic();
    await second.ready();
    t.equal((await second.probed('/healthz')).body, 'Not Active', 'ready and not at work');
    await scene.bind(all, 'one', 'two', 'three');
    await scene.addPod(lab, 'one');
    await scene.assigned(lab, ['one'], ['one one Assigned']);

    await arm.configure({ operationMs: 2_000 });
    await scene.addPod(lab, 'two');
    await eventually('the change is under way', async () => (await arm.log()).filter(isPatch).length === 2);
    await first.stop('SIGKILL');
    await scene.leads(second);
    await scene.assigned(lab, ['two'], ['two two Assigned']);
    t.equal((await arm.log()).filter(isPatch).length, 2, 'what the first began is not done again');
    t.equal(await scene.tokenOf(lab, 'two'), 'two');

    const third = lab.startMic();
    await third.ready();
    t.equal(await second.stop(), 0);
    const lease = await lab.kube.get('Lease', 'aad-pod-identity-mic');
    t.not(lease?.spec && (lease.spec as { holderIdentity?: string }).holderIdentity, 'mic-2', 'given up');
    await scene.leads(third);
    await scene.addPod(lab, 'three');
    t.equal(await scene.tokenOf(lab, 'three'), 'three');
  },
);

function isPatch({ method }: { readonly method: string }): boolean {
  return method === 'PATCH';
}
