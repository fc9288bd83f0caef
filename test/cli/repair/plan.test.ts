import t from 'tap';
import { planRepair, type RepairView } from '../../../lib/cli/repair/plan.ts';
import { parseAssigned } from '../../../lib/kube/mic-assigned.ts';
import type { AssignedObject, MicPod } from '../../../lib/model/assigned-object.ts';
import { assignmentFinalizer } from '../../../lib/model/assigned-object.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { assignedObject, bindingObject, identityObject } from '../../lab/objects.ts';

const identity = identityObject('demo', 'my-app', sampleIdentity('demo'));
const binding = bindingObject('demo-binding', 'my-app', 'demo', 'demo');
const set = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/pool';
const nodes = new Map([['pool000000', `azure://${set}/virtualMachines/0`]]);

function object(pod: string, change: Partial<AssignedObject> = {}): AssignedObject {
  const made = assignedObject(
    { name: pod, namespace: 'my-app' },
    { identity, binding, state: 'Assigned', node: 'pool000000' },
  );
  const parsed = parseAssigned({
    ...made,
    metadata: { ...made.metadata, finalizers: [assignmentFinalizer] },
  });
  if (!parsed) throw new Error('the seed cannot be read');
  return { ...parsed, ...change };
}

function podNamed(name: string, ended = false): MicPod {
  return { namespace: 'my-app', name, uid: name, node: 'pool000000', labels: {}, ended };
}

function planned(view: Partial<RepairView>): { repairs: string[]; mics: string[]; left: number } {
  const plan = planRepair({ assigned: [], pods: [], nodes, mic: undefined, ...view });
  const lines = (repairs: typeof plan.repairs): string[] =>
    repairs.map(({ object, cause }) => `${object.pod} ${cause}`);
  return { repairs: lines(plan.repairs), mics: lines(plan.mics), left: plan.left.length };
}

t.test('releases what was deleted and waits for a finalizer, also of pods that live', async (t) => {
  const assigned = [object('web', { deleting: true }), object('fine')];
  const pods = [podNamed('web'), podNamed('fine')];
  t.same(planned({ assigned, pods }), { repairs: ['web stuck'], mics: [], left: 0 });
});

t.test('removes assignments of pods that are gone or have ended', async (t) => {
  const assigned = [object('gone'), object('job'), object('web')];
  const pods = [podNamed('job', true), podNamed('web')];
  t.same(planned({ assigned, pods }).repairs, ['gone pod-gone', 'job pod-gone']);
});

t.test('leaves the finalizers of others alone', async (t) => {
  t.same(planned({ assigned: [object('web', { deleting: true, hasFinalizer: false })] }).repairs, []);
});

t.test(
  'tells of identities that stay in Azure, but not where another assignment stands for them',
  async (t) => {
    const both = [object('gone'), object('web')];
    t.equal(planned({ assigned: both, pods: [podNamed('web')] }).left, 0);
    t.equal(planned({ assigned: both }).left, 1, 'once for a machine and identity');
    const { left } = planRepair({ assigned: [object('gone')], pods: [], nodes, mic: undefined });
    t.match(left, [{ machine: { kind: 'vmss', resourceGroup: 'g', name: 'pool' } }]);
    const orphan = planRepair({ assigned: [object('gone')], pods: [], nodes: new Map(), mic: undefined });
    t.match(
      orphan.left,
      [{ machine: undefined, node: 'pool000000' }],
      'the node is named where it has vanished',
    );
  },
);

t.test('tells nobody to take off what is no managed identity', async (t) => {
  for (const resourceId of ['[system]', '--ids=x', `${sampleIdentity('demo').resourceId}/`]) {
    const { identity } = object('gone');
    const assigned = [object('gone', { identity: { ...identity, resourceId } })];
    t.equal(planned({ assigned }).left, 0, resourceId);
  }
});

t.test('leaves to a MIC at work all but what stands for nothing in Azure', async (t) => {
  const principal = { ...object('sp').identity, type: 1 };
  const assigned = [
    object('web', { deleting: true }),
    object('gone'),
    object('sp', { deleting: true, identity: principal }),
    object('sp-gone', { identity: principal }),
  ];
  const { repairs, mics } = planned({ assigned, mic: 'mic-0' });
  t.same(repairs, ['sp stuck']);
  t.same(mics, ['gone pod-gone', 'sp-gone pod-gone', 'web stuck']);
});
