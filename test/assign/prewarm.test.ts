import t from 'tap';
import { prewarmMs } from '../../lib/assign/prewarm.ts';
import { aMicPod, anObject, aSeenIdentity, vmssId } from './making.ts';
import { minutes, nowMs, planned, type Scene, told, web } from './scene.ts';

const nodes = new Map([['node1', vmssId('set')]]);
const unneeded: Scene = { pods: [], nodes, prewarm: true };
const memory = (fields = {}) =>
  anObject({ state: 'Unassigned', unassignSinceMs: minutes(60), lastUsedMs: minutes(60), ...fields });
const over = nowMs - prewarmMs;
const pods = [aMicPod({ name: 'new' })];
const fresh = anObject({ pod: 'new', uid: 'uid-new', state: 'Created' });

const rows: Readonly<Record<string, readonly [Scene, readonly string[]]>> = {
  'keeps an identity on a scale set for a day, and repairs it': [
    { assigned: [memory()] },
    ['vmss set wants demo'],
  ],
  'keeps none where prewarming is off': [
    { prewarm: false, assigned: [memory({ lastUsedMs: undefined })] },
    ['vmss set removes demo', `delete ${web} when demo is off`],
  ],
  'keeps none on a VM': [{ nodes: new Map([['node1', '']]), assigned: [memory()] }, [`Unassigned ${web}`]],
  'keeps none that no binding names any more, and forgets before ARM is asked': [
    { bindings: [], assigned: [memory()] },
    [`Unassigned ${web}`],
  ],
  'forgets after a day': [{ assigned: [memory({ lastUsedMs: over })] }, [`Unassigned ${web}`]],
  'takes off what is forgotten': [
    { assigned: [memory({ lastUsedMs: undefined })] },
    ['vmss set removes demo', `delete ${web} when demo is off`],
  ],
  'does not ask ARM for a new pod': [
    { pods, assigned: [memory(), fresh] },
    [`delete ${web}`, 'Assigned default/new-apps-demo', 'vmss set wants demo'],
  ],
  'asks ARM for a new pod after a day': [
    { pods, assigned: [memory({ lastUsedMs: over }), fresh] },
    [`delete ${web}`, 'vmss set wants demo adds demo', 'Assigned default/new-apps-demo when demo is on'],
  ],
  'asks ARM where the memory is of another client id': [
    { pods, assigned: [memory({ identity: aSeenIdentity({ clientId: 'old' }) }), fresh] },
    [`delete ${web}`, 'vmss set wants demo adds demo', 'Assigned default/new-apps-demo when demo is on'],
  ],
  'asks ARM where the assignment was never finished': [
    { pods, assigned: [memory({ unassignSinceMs: nowMs, lastUsedMs: undefined }), fresh] },
    [`delete ${web}`, 'vmss set wants demo adds demo', 'Assigned default/new-apps-demo when demo is on'],
  ],
  'keeps no memory that somebody deletes': [
    { assigned: [memory({ deleting: true })] },
    [`Unassigned ${web}`],
  ],
  'keeps one memory of many': [
    {
      assigned: [
        memory(),
        memory({ name: 'x', uid: 'x', lastUsedMs: minutes(9), unassignSinceMs: minutes(9) }),
      ],
    },
    [`delete ${web}`, 'vmss set wants demo'],
  ],
};

for (const [promise, [scene, expected]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.same(told({ ...unneeded, ...scene }), expected);
  });
}

t.test('remembers when a pod last had the identity, and of one that never had it nothing', async (t) => {
  const marks = (state: 'Assigned' | 'Created') => {
    const [operation] = planned({ ...unneeded, assigned: [anObject({ state })] }).free;
    return operation && 'marks' in operation && operation.marks;
  };
  t.match(marks('Assigned'), { lastUsedMs: nowMs, unassignSinceMs: nowMs });
  t.match(marks('Created'), { lastUsedMs: undefined, unassignSinceMs: nowMs });
});

t.test('looks again when the day is over', async (t) => {
  t.equal(planned({ ...unneeded, assigned: [memory()] }).againAtMs, minutes(60) + prewarmMs);
});
