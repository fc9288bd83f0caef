import t from 'tap';
import { aMicPod, anObject, armId, aSeenBinding, aSeenIdentity, vmId, vmssId } from './making.ts';
import {
  minutes,
  nowMs,
  other,
  others,
  planned,
  type Scene,
  secret,
  setArmId,
  told,
  twoNodes,
  unassigned,
  web,
} from './scene.ts';

const set = new Map([
  ['set000001', vmssId('set', '1')],
  ['set000002', vmssId('SET', '2')],
]);
const onSet = (fields = {}) => anObject({ node: 'set000001', ...fields });

const rows: Readonly<Record<string, readonly [Scene, readonly string[]]>> = {
  'makes the object first, in state Created': [{}, [`create ${web}`]],
  'then puts the identity on the machine, and says Assigned when ARM says so': [
    { assigned: [anObject({ state: 'Created' })] },
    ['vm node1 wants demo adds demo', `Assigned ${web} when demo is on`],
  ],
  'has nothing to do for an identity that is assigned': [{ assigned: [anObject()] }, ['vm node1 wants demo']],
  'takes the empty state, which old MICs left, for Assigned': [
    { assigned: [anObject({ state: '' })] },
    ['vm node1 wants demo'],
  ],
  'does not ask ARM for what an assignment of another pod says is there': [
    { pods: [aMicPod(), other], assigned: [others, anObject({ state: 'Created' })] },
    [`Assigned ${web}`, 'vm node1 wants demo'],
  ],
  'asks ARM where the other assignment has another client id': [
    {
      pods: [aMicPod(), other],
      assigned: [
        anObject({ pod: 'other', uid: 'o', identity: aSeenIdentity({ clientId: 'old' }) }),
        anObject({ state: 'Created' }),
      ],
    },
    [
      'update default/other-apps-demo as Created',
      'vm node1 wants demo adds demo',
      `Assigned ${web} when demo is on`,
    ],
  ],
  'never asks ARM about a service principal': [
    { identities: [secret], assigned: [anObject({ identity: secret, state: 'Created' })] },
    [`Assigned ${web}`],
  ],
  'makes an object that is being deleted anew, and remembers the identity meanwhile': [
    { assigned: [anObject({ deleting: true })] },
    [`delete ${web}, web-apps-demo-was-1 stays`],
  ],
  'takes back what a pod needs again': [
    { assigned: [unassigned(minutes(9))] },
    [`Created ${web}`, 'vm node1 wants demo'],
  ],
  'leaves what stands while the node of a pod is not there': [
    {
      nodes: new Map(),
      assigned: [onSet({ machine: setArmId, pod: 'web' })],
      pods: [aMicPod({ node: 'set000001' })],
    },
    ['vmss set wants demo'],
  ],
  'leaves what stands, and does not make more, while the providerID of the node is wrong': [
    { nodes: new Map([['node1', 'kind://x']]), pods: [aMicPod(), other], assigned: [anObject()] },
    [],
  ],
  'goes by the resource group and subscription of the providerID': [
    {
      nodes: new Map([['node1', vmId('X').replace('/sub/', '/Else/').replace('/group/', '/Where/')]]),
      assigned: [anObject({ state: 'Created' })],
    },
    ['vm X wants demo adds demo', `Assigned ${web} when demo is on`],
  ],
  'asks once for all pods of a scale set': [
    {
      nodes: set,
      pods: [aMicPod({ node: 'set000001' }), aMicPod({ name: 'other', node: 'set000002' })],
      assigned: [
        onSet({ state: 'Created' }),
        anObject({ ...others, node: 'set000002', label: 'set000002', state: 'Created' }),
      ],
    },
    [
      'vmss set wants demo adds demo',
      `Assigned ${web} when demo is on`,
      'Assigned default/other-apps-demo when demo is on',
    ],
  ],
  'does not bounce a pod that comes back on another node of its scale set': [
    { nodes: set, pods: [aMicPod({ node: 'set000002' })], assigned: [onSet()] },
    [`update ${web} as Assigned`, 'vmss set wants demo'],
  ],
  'moves with a pod that comes back on another VM, and remembers the old one': [
    { nodes: twoNodes, pods: [aMicPod({ node: 'node2' })], assigned: [anObject()] },
    [`update ${web} as Created, web-apps-demo-was-1 stays`],
  ],
  'remembers a machine once, however many pods leave it': [
    {
      nodes: twoNodes,
      pods: [aMicPod({ node: 'node2' }), aMicPod({ name: 'other', node: 'node2' })],
      assigned: [anObject(), others],
    },
    [`update ${web} as Created, web-apps-demo-was-1 stays`, 'update default/other-apps-demo as Created'],
  ],
  'needs no memory of a VM that vanished': [
    { nodes: new Map([['node2', '']]), pods: [aMicPod({ node: 'node2' })], assigned: [anObject()] },
    [`update ${web} as Created`],
  ],
  'goes to the machine that the node is now, not to the one it was when the object was made': [
    {
      nodes: new Map([['node1', vmssId('set')]]),
      assigned: [anObject({ machine: setArmId.replace('set', 'old').replace(/set$/, 'old') })],
    },
    [`update ${web} as Created, web-apps-demo-was-1 stays`],
  ],
  'mends a label by which NMI does not find the object': [
    { assigned: [anObject({ label: 'node7' })] },
    [`update ${web} as Assigned`, 'vm node1 wants demo'],
  ],
  'puts back a finalizer that is missing': [
    { assigned: [anObject({ hasFinalizer: false })] },
    [`update ${web} as Assigned`, 'vm node1 wants demo'],
  ],
  'does not touch an object for metadata': [
    { assigned: [anObject({ identity: { ...aSeenIdentity() }, resourceVersion: '999' })] },
    ['vm node1 wants demo'],
  ],
  'carries what NMI reads without a bounce': [
    { bindings: [aSeenBinding({ weight: 5 })], assigned: [anObject()] },
    [`update ${web} as Assigned`, 'vm node1 wants demo'],
  ],
  'bounces where the identity is another in Azure': [
    { identities: [aSeenIdentity({ resourceId: armId('next') })], assigned: [anObject()] },
    [`update ${web} as Created, web-apps-demo-was-1 stays`],
  ],
  'bounces where the managed identity was deleted and created again': [
    { identities: [aSeenIdentity({ clientId: 'next' })], assigned: [anObject()] },
    [`update ${web} as Created`, 'vm node1 wants demo'],
  ],
  'has nothing to do for an AzureIdentity that was deleted and created again with the same content': [
    { identities: [{ ...aSeenIdentity() }], assigned: [anObject()] },
    ['vm node1 wants demo'],
  ],
};

for (const [promise, [scene, expected]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.same(told(scene), expected);
  });
}

t.test('clears what was said of the end when a pod needs it again', async (t) => {
  const [operation] = planned({ assigned: [unassigned(minutes(1), { lastUsedMs: minutes(1) })] }).free;
  t.match(operation, { kind: 'state', to: 'Created' });
  t.match(operation && 'marks' in operation && operation.marks, {
    unassignSinceMs: undefined,
    lastUsedMs: undefined,
  });
});

t.test('a former object remembers the old machine, and is not made under a name that is taken', async (t) => {
  const moved = { nodes: twoNodes, pods: [aMicPod({ node: 'node2' })] };
  const taken = anObject({ name: 'web-apps-demo-was-1', uid: 'w', identity: secret });
  const operation = planned({ ...moved, assigned: [anObject(), taken] }).free.find(
    ({ kind }) => kind === 'update',
  );
  t.match(operation, {
    former: {
      namespace: 'default',
      name: 'web-apps-demo-was-2',
      marks: { machine: /virtualMachines\/node1$/, unassignSinceMs: nowMs },
    },
    marks: { machine: /virtualMachines\/node2$/, unassignSinceMs: undefined },
  });
  const pod = aMicPod({ name: 'x'.repeat(243) });
  const [cut] = planned({ pods: [pod], assigned: [anObject({ pod: pod.name, deleting: true })] }).free;
  t.equal(cut && 'former' in cut && cut.former?.name, `${pod.name}-app-was-1`);
});
