import t from 'tap';
import { aMicPod, anObject, armId, aSeenBinding, aSeenIdentity, vmssId } from './making.ts';
import {
  gone,
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

const rows: Readonly<Record<string, readonly [Scene, readonly string[]]>> = {
  'stops an assignment that no pod needs at once, and leaves the identity for the grace': [
    { ...gone, assigned: [anObject()] },
    [`Unassigned ${web}`],
  ],
  'treats a completed pod as gone': [
    { pods: [aMicPod({ ended: true })], assigned: [anObject()] },
    [`Unassigned ${web}`],
  ],
  'stops an assignment that was never finished, too': [
    { ...gone, assigned: [anObject({ state: 'Created' })] },
    [`Unassigned ${web}`],
  ],
  'waits out the grace': [{ ...gone, assigned: [unassigned(minutes(4))] }, []],
  'takes the identity off after the grace, and deletes the object when ARM says so': [
    { ...gone, assigned: [unassigned(minutes(5))] },
    ['vm node1 removes demo', `delete ${web} when demo is off`],
  ],
  "counts the grace of an object that the original's MIC left from now": [
    { ...gone, assigned: [unassigned(undefined)] },
    [`Unassigned ${web}`],
  ],
  'counts a time to come for none': [{ ...gone, assigned: [unassigned(nowMs + 1)] }, [`Unassigned ${web}`]],
  'gives an object that somebody deletes no grace': [
    { ...gone, assigned: [unassigned(nowMs, { deleting: true })] },
    ['vm node1 removes demo', `delete ${web} when demo is off`],
  ],
  'lets an object go that nothing of ours holds': [
    { ...gone, assigned: [anObject({ deleting: true, hasFinalizer: false })] },
    [],
  ],
  'deletes at once what another pod’s object stands for': [
    { pods: [other], assigned: [others, anObject()] },
    [`delete ${web}`, 'vm node1 wants demo'],
  ],
  'keeps the memory until the object of the new pod stands': [
    { pods: [other], assigned: [unassigned(minutes(9))] },
    ['create default/other-apps-demo'],
  ],
  'keeps one of several that nobody needs, the one that was needed last': [
    {
      ...gone,
      assigned: [
        unassigned(minutes(3)),
        unassigned(minutes(1), { pod: 'late', name: 'late', uid: 'l' }),
        unassigned(minutes(9), { pod: 'old', name: 'old', uid: 'o' }),
      ],
    },
    [`delete ${web}`, 'delete default/old'],
  ],
  'gives what a pod has only just left its own grace': [
    {
      nodes: twoNodes,
      pods: [aMicPod({ name: 'other', node: 'node2' })],
      assigned: [unassigned(minutes(9)), others],
    },
    ['update default/other-apps-demo as Created, other-apps-demo-was-1 stays'],
  ],
  'deletes at once what has no part in Azure': [
    { ...gone, assigned: [anObject({ identity: secret })] },
    [`delete ${web}`],
  ],
  'never takes off an identity that is in use, however its id is written': [
    {
      pods: [other],
      identities: [aSeenIdentity({ resourceId: armId('demo').toUpperCase() })],
      assigned: [anObject({ ...others, state: 'Created' }), unassigned(minutes(9))],
    },
    [`delete ${web}`, 'update default/other-apps-demo as Created', 'vm node1 wants demo'],
  ],
  'never takes off an immutable identity, whatever the letter case': [
    { ...gone, immutable: ['C0FFEE00-0000-4000-8000-00000000000A'], assigned: [unassigned(minutes(9))] },
    [`delete ${web}`],
  ],
  'never takes off what another identity calls immutable': [
    {
      ...gone,
      immutable: ['own'],
      identities: [aSeenIdentity({ name: 'own', clientId: 'OWN', resourceId: armId('Demo') })],
      assigned: [unassigned(minutes(9))],
    },
    [`delete ${web}`],
  ],
  'never takes off an identity whose ARM id is immutable': [
    { ...gone, immutable: [armId('DEMO')], assigned: [unassigned(minutes(9))] },
    [`delete ${web}`],
  ],
  'deletes objects on a vanished VM without a word to ARM': [
    { ...gone, nodes: new Map(), assigned: [anObject()] },
    [`delete ${web}`],
  ],
  'still cleans the scale set of a vanished node, by the annotation': [
    { ...gone, nodes: new Map(), assigned: [unassigned(minutes(9), { node: 'x', machine: setArmId })] },
    ['vmss set removes demo', `delete ${web} when demo is off`],
  ],
  "still cleans the scale set of a vanished node, by the node's name": [
    {
      ...gone,
      nodes: new Map([['set000002', vmssId('Set', '2')]]),
      assigned: [unassigned(minutes(9), { node: 'set000001' })],
    },
    ['vmss Set removes demo', `delete ${web} when demo is off`],
  ],
  'guesses no scale set where two have the name': [
    {
      ...gone,
      nodes: new Map([
        ['set000002', vmssId('set', '2')],
        ['set000003', vmssId('set', '3').replace('/group/', '/group2/')],
      ]),
      assigned: [unassigned(minutes(9), { node: 'set000001' })],
    },
    [`delete ${web}`],
  ],
  'keeps nothing for an identity whose id became invalid': [
    { identities: [aSeenIdentity({ resourceId: 'x' })], assigned: [anObject()] },
    [`Unassigned ${web}`],
  ],
  'tells pods of one name in two namespaces apart': [
    {
      pods: [aMicPod({ namespace: 'other' })],
      assigned: [anObject(), anObject({ podNamespace: 'other', uid: 'o' })],
    },
    [`delete ${web}`, 'vm node1 wants demo'],
  ],
};

for (const [promise, [scene, expected]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.same(told(scene), expected);
  });
}

t.test('says on the object since when nobody needs it, and where it was', async (t) => {
  const [operation] = planned({ ...gone, assigned: [anObject()] }).free;
  const machine = '/subscriptions/sub/resourceGroups/group/providers/Microsoft.Compute/virtualMachines/node1';
  t.match(operation, { kind: 'state', to: 'Unassigned' });
  t.same(operation && 'marks' in operation && operation.marks, {
    machine,
    unassignSinceMs: nowMs,
    lastUsedMs: undefined,
  });
});

t.test('names the time at which the plan changes by itself', async (t) => {
  const waiting = unassigned(minutes(2));
  t.equal(planned({ ...gone, assigned: [waiting] }).againAtMs, minutes(2) + 300_000);
  t.equal(planned({ ...gone, assigned: [waiting], graceMs: 180_000 }).againAtMs, minutes(-1));
  const next = unassigned(minutes(1), { name: 'next', identity: aSeenIdentity({ name: 'next' }) });
  t.equal(planned({ ...gone, assigned: [next, waiting] }).againAtMs, minutes(2) + 300_000, 'the earliest');
  t.equal(planned().againAtMs, undefined);
});

t.test('hands over what is in its grace, where the machine is looked at for another', async (t) => {
  const identities = [aSeenIdentity(), aSeenIdentity({ name: 'two' })];
  const bindings = [aSeenBinding({ azureIdentity: 'two' })];
  const two = anObject({ identity: aSeenIdentity({ name: 'two' }), uid: 'uid-two' });
  const leaving = (since: number): unknown =>
    planned({ identities, bindings, assigned: [two, unassigned(since)] }).machines.map((one) => one.leaving);
  t.same(leaving(minutes(4)), [[armId('demo').toLowerCase()]]);
  t.same(leaving(minutes(5)), [[]], 'after it is taken off as ever');
});
