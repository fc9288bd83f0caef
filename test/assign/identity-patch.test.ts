import t from 'tap';
import { changed, changesOf, type MachineIdentity, patchOf } from '../../lib/assign/identity-patch.ts';
import { judge } from '../lab/arm/rules.ts';
import { blue, green, idOf, red, sampleSystem } from './arm-rig.ts';

const [r, g, b] = [red, green, blue].map(idOf) as [string, string, string];

function has(hasSystem: boolean, ...ids: readonly string[]): MachineIdentity {
  return { hasSystem, userAssigned: new Map(ids.map((id) => [id, `client of ${id}`])) };
}

function bodyFor(current: MachineIdentity, add: readonly string[], remove: readonly string[]): unknown {
  return patchOf(current, changesOf(current, { add, remove }))?.identity;
}

t.test('writes the type and only what changes', async (t) => {
  const both = 'SystemAssigned, UserAssigned';
  const cases: [string, MachineIdentity, readonly string[], readonly string[], unknown][] = [
    ['none, add', has(false), [r], [], { type: 'UserAssigned', userAssignedIdentities: { [r]: {} } }],
    ['system, add', has(true), [r], [], { type: both, userAssignedIdentities: { [r]: {} } }],
    [
      'both, remove one of several',
      has(true, r, g),
      [],
      [r],
      { type: both, userAssignedIdentities: { [r]: null } },
    ],
    ['both, remove the last', has(true, r), [], [r], { type: 'SystemAssigned' }],
    [
      'user, remove one of several',
      has(false, r, g),
      [],
      [r],
      { type: 'UserAssigned', userAssignedIdentities: { [r]: null } },
    ],
    ['user, remove the last', has(false, r), [], [r], { type: 'None' }],
    [
      'user, swap the last',
      has(false, r),
      [g],
      [r],
      { type: 'UserAssigned', userAssignedIdentities: { [g]: {}, [r]: null } },
    ],
    ['there already', has(false, r), [r], [], undefined],
    ['in both lists: kept', has(false, r, g), [r], [r], undefined],
    [
      'in both lists: added',
      has(false),
      [r],
      [r],
      { type: 'UserAssigned', userAssignedIdentities: { [r]: {} } },
    ],
  ];
  for (const [what, current, add, remove, expected] of cases)
    t.strictSame(bodyFor(current, add, remove), expected, what);
});

t.test(
  'sends nothing for a removal of what is not there, so that no identity of the machine itself is wiped',
  async (t) => {
    for (const current of [has(false), has(true), has(true, g)])
      t.equal(bodyFor(current, [], [r]), undefined);
  },
);

t.test('takes ids as equal in any letter case, and writes them in lower case', async (t) => {
  t.equal(bodyFor(has(false, r), [r.toUpperCase()], []), undefined);
  t.strictSame(bodyFor(has(false), [r.toUpperCase(), r], []), {
    type: 'UserAssigned',
    userAssignedIdentities: { [r]: {} },
  });
  t.strictSame(bodyFor(has(true, r), [], [r.toUpperCase()]), { type: 'SystemAssigned' });
});

t.test('puts on before it takes off', async (t) => {
  const changes = changesOf(has(false, r, b), { add: [g], remove: [r, b] });
  t.same(
    changes.map(({ id, to }) => [to, id]),
    [
      ['on', g],
      ['off', b],
      ['off', r],
    ],
  );
});

t.test('by the rules of ARM, makes every change and no other, from every state', async (t) => {
  const ids = [r, g, b];
  const subsets = Array.from({ length: 8 }, (_, bits) => ids.filter((_, at) => bits & (1 << at)));
  const known = new Map([red, green, blue].map((identity) => [idOf(identity), identity]));
  let sent = 0;
  for (const hasSystem of [false, true])
    for (const there of subsets)
      for (const add of subsets)
        for (const remove of subsets) {
          const current = has(hasSystem, ...there);
          const patch = patchOf(current, changesOf(current, { add, remove }));
          const expected = ids.filter(
            (id) => add.includes(id) || (there.includes(id) && !remove.includes(id)),
          );
          const now = { system: hasSystem ? sampleSystem : undefined, user: new Set(there) };
          const situation = { machine: 'vm', now, known, newSystem: sampleSystem };
          const next = patch ? judge(JSON.stringify(patch), situation) : now;
          if ('status' in next) return t.fail(`ARM refuses ${JSON.stringify(patch)}: ${next.message}`);
          const isRight = ids.every((id) => next.user.has(id) === expected.includes(id));
          if (!isRight || (next.system !== undefined) !== hasSystem)
            return t.fail(JSON.stringify({ hasSystem, there, add, remove, patch }));
          t.same(
            [...changed(current, changesOf(current, { add, remove })).userAssigned.keys()].sort(),
            expected.sort(),
          );
          sent += patch ? 1 : 0;
        }
  t.equal(sent, 774, 'all but the 5 of 8 cases of each id in which nothing changes: 2 × (512 - 125)');
});
