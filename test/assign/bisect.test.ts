import t from 'tap';
import type { Arm } from '../../lib/assign/arm.ts';
import { applyChanges } from '../../lib/assign/bisect.ts';
import { changesOf } from '../../lib/assign/identity-patch.ts';
import { armIdOf } from '../../lib/assign/machine.ts';
import { AppError } from '../../lib/model/errors.ts';
import type { ManagedIdentity } from '../lab/arm/types.ts';
import { identity, idOf, sampleSystem, unending, vm } from './arm-rig.ts';
import { ids, kinds, scene, silentOn } from './bisect-rig.ts';

t.test('makes all changes in one PATCH, and in several where they are more than 150', async (t) => {
  const { arm, all, run, there } = await scene(310);
  t.same(kinds(await run(ids(all.slice(0, 150)))), { done: 150 });
  t.equal(arm.patches.length, 1);
  t.same(kinds(await run(ids(all))), { done: 160 });
  t.same(kinds(await run([], ids(all))), { done: 310 });
  const sizes = arm.patches.map(
    ({ patch }) => Object.keys(patch.identity.userAssignedIdentities ?? {}).length,
  );
  t.same(sizes, [150, 150, 10, 150, 150, 0], 'the last one empties the machine by its type alone');
  t.same(there(), []);
});

t.test('an identity that may not be assigned blocks only itself, by its name in the error', async (t) => {
  const { arm, all, run, there } = await scene(40);
  const bad = [all[7], all[31]] as ManagedIdentity[];
  arm.azure.createIdentities(...bad.map((one) => ({ ...one, assignable: false })));
  const outcomes = await run(ids(all));
  t.same(kinds(outcomes), { done: 38, refused: 2 });
  for (const id of ids(bad))
    t.match(outcomes.get(id), { kind: 'refused', code: 'LinkedAuthorizationFailed' });
  t.equal(there().length, 38);
  t.equal(arm.patches.length, 3, 'all, the rest, and those that were named');
});

t.test('pauses before another try where one was refused, and nowhere else', async (t) => {
  const { arm, all, run, rests } = await scene(310);
  await run(ids(all.slice(0, 200)));
  t.same(rests, [], 'two PATCHes, both taken');
  arm.azure.createIdentities({ ...(all[250] as ManagedIdentity), assignable: false });
  arm.patches.length = 0;
  await run(ids(all));
  t.equal(arm.patches.length, 3, 'all, the one that was named, and the rest');
  t.same(rests, [1, 2]);
});

t.test('several that do not exist, named one at a time, block only themselves', async (t) => {
  const { arm, all, run } = await scene(30);
  const bad = [all[3], all[4], all[20]] as ManagedIdentity[];
  await arm.azure.deleteIdentities(...ids(bad));
  const outcomes = await run(ids(all));
  t.same(kinds(outcomes), { done: 27, refused: 3 });
  t.match(outcomes.get(idOf(bad[0] as ManagedIdentity)), {
    code: 'FailedIdentityOperation',
    message: /was not found/,
  });
});

t.test('settles some in every round, however many are named one at a time', async (t) => {
  const { arm, all, run } = await scene(100);
  await arm.azure.deleteIdentities(...ids(all.slice(0, 99)));
  const outcomes = await run(ids(all));
  t.same(kinds(outcomes), { refused: 7, undecided: 93 });
  t.equal(arm.patches.length, 15);
});

t.test('a refusal that names nobody is divided in halves, within 2 log2 n + 1 PATCHes', async (t) => {
  for (const count of [1, 2, 3, 16, 17, 150]) {
    for (const at of new Set([0, Math.floor(count / 2), count - 1])) {
      const { arm, all, run } = await scene(count);
      const bad = idOf(all[at] as ManagedIdentity);
      const outcomes = await run(ids(all), [], silentOn(arm, [bad]));
      t.equal(outcomes.get(bad)?.kind, 'refused', `${at} of ${count}`);
      t.equal([...outcomes.values()].filter(({ kind }) => kind === 'done').length, count - 1);
      t.ok(
        arm.patches.length <= 2 * Math.ceil(Math.log2(count)) + 1,
        `${arm.patches.length} PATCHes for ${count}`,
      );
    }
  }
});

t.test('so is every no that may be of one id, whatever its status and its code', async (t) => {
  const cases = [
    [400, 'InvalidParameter'],
    [403, 'LinkedAuthorizationFailed'],
    [403, 'RequestDisallowedByPolicy'],
    [404, 'SubscriptionNotFound'],
    [422, 'unknown'],
  ] as const;
  for (const [status, code] of cases) {
    const { arm, all, run } = await scene(10);
    const bad = idOf(all[3] as ManagedIdentity);
    const outcomes = await run(ids(all), [], silentOn(arm, [bad], { status, code }));
    t.same(kinds(outcomes), { done: 9, refused: 1 }, code);
    t.match(outcomes.get(bad), { kind: 'refused', code });
  }
});

t.test(
  'leaves undecided what more PATCHes would have to tell; every round settles some, however many are bad',
  async (t) => {
    const { arm, all, run } = await scene(128);
    const bad = new Set(ids(all.filter((_, at) => at % 16 === 5)));
    let left = ids(all);
    const done: string[] = [];
    const refused: string[] = [];
    for (let round = 0; left.length > 0 && round < 20; round++) {
      const before = arm.patches.length;
      const outcomes = await run(left, [], silentOn(arm, [...bad]));
      t.ok(arm.patches.length - before <= 15, `${arm.patches.length - before} PATCHes in round ${round}`);
      const of = (kind: string): string[] => left.filter((id) => outcomes.get(id)?.kind === kind);
      done.push(...of('done'));
      refused.push(...of('refused'));
      t.ok(of('undecided').length < left.length);
      left = of('undecided');
    }
    t.same(left, [], 'another round tells');
    t.same(new Set(refused), bad);
    t.equal(done.length, 120);
  },
);

t.test('nothing more is tried, and all is open, when the refusal is not about the ids', async (t) => {
  const answer = (status: number, code: string) => ({
    status,
    answer: { status, body: JSON.stringify({ error: { code, message: `on scope '${armIdOf(vm)}'` } }) },
  });
  const errors = [
    new AppError('arm-throttled', 'later', { status: 429, retryAfter: '7' }),
    new AppError('arm-unreachable', 'gone'),
    new AppError('arm-refused', 'no rights', answer(403, 'AuthorizationFailed')),
    new AppError('arm-refused', 'locked', answer(403, 'DenyAssignmentAuthorizationFailed')),
    new AppError('arm-refused', 'conflict', answer(409, 'Conflict')),
    new AppError('arm-refused', 'trouble', answer(500, 'InternalServerError')),
    new AppError('arm-failed', 'another came', answer(200, 'OperationPreempted')),
  ];
  for (const error of errors) {
    const { arm, all } = await scene(160);
    const current = await arm.identitiesOf(vm);
    arm.trouble.push(error);
    const changes = changesOf(current, { add: ids(all), remove: [] });
    const doors = { arm, machine: vm, current, signal: unending, rest: async () => undefined };
    const outcomes = await applyChanges(changes, doors);
    t.same(kinds(outcomes), { open: 160 }, error.message);
    t.match(outcomes.get(idOf(all[159] as ManagedIdentity)), { error });
    t.equal(arm.patches.length, 1);
  }
});

t.test(
  'nor when it blames one that is on the machine and stays; a stranger to both is no excuse',
  async (t) => {
    for (const [isThere, outcome] of [
      [true, { open: 10 }],
      [false, { done: 9, refused: 1 }],
    ] as const) {
      const other = identity('other');
      const { arm, all, run } = await scene(10, isThere ? { userAssigned: [other.resourceId] } : {});
      const message = `Resource '${other.resourceId}' was not found.`;
      const through = silentOn(arm, [idOf(all[3] as ManagedIdentity)], {
        code: 'FailedIdentityOperation',
        message,
      });
      t.same(kinds(await run(ids(all), [], through)), outcome);
    }
  },
);

t.test('what was done before the trouble is told as done', async (t) => {
  const { arm, all, run } = await scene(151);
  const error = new AppError('arm-throttled', 'later', { status: 429, retryAfter: '7' });
  const second: Arm = {
    identitiesOf: (machine) => arm.identitiesOf(machine),
    patch: (...args) => (arm.patches.length > 0 ? Promise.reject(error) : arm.patch(...args)),
  };
  t.same(kinds(await run(ids(all), [], second)), { done: 150, open: 1 });
});

t.test(
  'an operation that fails for an identity is divided, too, from what the machine then has',
  async (t) => {
    const { arm, all, run, there } = await scene(4, { systemAssigned: sampleSystem });
    const bad = idOf(all[2] as ManagedIdentity);
    arm.failures.push({ code: 'FailedIdentityOperation', message: `Resource '${bad}' was not found.` });
    await arm.azure.deleteIdentities(bad);
    t.same(kinds(await run(ids(all))), { done: 3, refused: 1 });
    t.equal(there().length, 3);
    t.equal(arm.azure.view(armIdOf(vm))?.type, 'SystemAssigned, UserAssigned');
  },
);

t.test('what ARM made although it says that it failed is not asked for again', async (t) => {
  const { arm, all, run, there } = await scene(3);
  const [a, b, c] = ids(all) as [string, string, string];
  await run([a, b, c]);
  const answer = {
    status: 200,
    body: JSON.stringify({ error: { code: 'BadRequest', message: 'Not all.' } }),
  };
  const halfWay: Arm = {
    identitiesOf: (machine) => arm.identitiesOf(machine),
    patch: async (...args) => {
      await arm.patch(...args);
      if (arm.patches.length === 2) throw new AppError('arm-failed', 'it failed', { answer });
    },
  };
  t.same(kinds(await run([], [a, b, c], halfWay)), { done: 3 });
  t.same(there(), []);
  t.equal(arm.patches.length, 2);
});

t.test('a message with hostile text comes out as one plain line', async (t) => {
  const { arm, all, run } = await scene(1);
  const body = JSON.stringify({ error: { code: 'a b', message: `no\r\nway\u001b[31m ${'x'.repeat(2000)}` } });
  const refuse = async (): Promise<never> => {
    throw new AppError('arm-refused', 'no', { status: 400, answer: { status: 400, body } });
  };
  const outcomes = await run(ids(all), [], { identitiesOf: (one) => arm.identitiesOf(one), patch: refuse });
  const [outcome] = [...outcomes.values()];
  if (outcome?.kind !== 'refused') return t.fail('not refused');
  t.equal(outcome.code, 'unknown');
  t.match(outcome.message, /^no\?\?way\?\[31m x+…$/);
  t.ok(outcome.message.length < 720);
});
