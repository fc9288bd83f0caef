import { inspect } from 'node:util';
import t from 'tap';
import type { IdentityPatch } from '../../lib/assign/identity-patch.ts';
import { armIdOf } from '../../lib/assign/machine.ts';
import { isAppError } from '../../lib/model/errors.ts';
import { failureOf } from '../fakes/failure.ts';
import type { ArmFault } from '../lab/arm/types.ts';
import { idOf, red, rig, tokenFor, unending, vm, vmss } from './arm-rig.ts';

const patch: IdentityPatch = {
  identity: { type: 'UserAssigned', userAssignedIdentities: { [idOf(red)]: {} } },
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await failureOf(() => work);
  return isAppError(error) ? error.code : error.message;
}

t.test('asks for the machine where it stands, as itself, with a correlation id', async (t) => {
  const { arm, simulator, calls } = await rig(t);
  const other = { ...vmss, subscription: 'sub2', resourceGroup: 'Gruppe_(süd)', name: 'pool.2' };
  await simulator.addMachines(other);
  await arm.identitiesOf(other);
  await arm.patch(other, patch, unending);
  const [get, sent, poll] = await simulator.log();
  t.match(get, { method: 'GET', machine: armIdOf(other).toLowerCase(), apiVersion: '2019-12-01', body: '' });
  t.match(sent, {
    method: 'PATCH',
    machine: get?.machine,
    userAgent: 'pod-identity/MIC/test',
    body: JSON.stringify(patch),
  });
  t.match(get?.correlationId, /^[0-9a-f-]{36}$/);
  t.equal(poll?.correlationId, sent?.correlationId);
  t.not(get?.correlationId, sent?.correlationId);
  t.same(
    calls.map(({ operation, status }) => [operation, status]),
    [
      ['vmss_get', 200],
      ['vmss_update', 200],
      ['poll', 200],
    ],
  );
});

t.test('follows an operation to its end, however ARM tells where to look', async (t) => {
  const { arm, simulator, clock } = await rig(t);
  for (const style of ['operation', 'location', 'machine'] as const) {
    await simulator.addMachines(vm);
    await simulator.configure({ style, operationMs: 25_000 });
    const before = clock.monotonic();
    await arm.patch(vm, patch, unending);
    t.same((await arm.identitiesOf(vm)).userAssigned, new Map([[idOf(red), red.clientId]]), style);
    t.equal(clock.monotonic() - before, 25_000, 'it looks every 5 s');
  }
});

t.test('looks as often as ARM asks it to', async (t) => {
  const { arm, simulator, clock } = await rig(t);
  await simulator.configure({ operationMs: 25_000, retryAfter: '20' });
  await arm.patch(vm, patch, unending);
  t.equal(clock.monotonic(), 40_000);
  t.equal((await simulator.log()).length, 3);
});

t.test('a trouble while it looks does not end the change', async (t) => {
  const { arm, simulator } = await rig(t);
  await simulator.configure({ operationMs: 25_000 });
  const at = { method: 'GET', path: '/operations/' } as const;
  await simulator.fault(
    { kind: 'status', status: 500, ...at },
    { kind: 'reset', ...at, count: 2 },
    { kind: 'status', status: 429, headers: { 'retry-after': '2' }, ...at },
    { kind: 'garbage', ...at },
  );
  await arm.patch(vm, patch, unending);
  t.equal((await arm.identitiesOf(vm)).userAssigned.size, 1);
});

t.test('asks the machine when the operation is forgotten', async (t) => {
  const { arm, simulator, calls } = await rig(t);
  await simulator.configure({ operationMs: 12_000 });
  await simulator.fault({
    kind: 'status',
    status: 404,
    code: 'NotFound',
    method: 'GET',
    path: '/operations/',
  });
  await arm.patch(vm, patch, unending);
  t.equal((await simulator.machine(armIdOf(vm)))?.provisioningState, 'Succeeded');
  t.same(
    calls.map(({ status }) => status),
    [200, 404, 200, 200],
  );
});

t.test('never takes the token to another host: an operation kept there is seen on the machine', async (t) => {
  const { arm, simulator } = await rig(t);
  const elsewhere = await rig(t);
  await simulator.fault({
    ...{ kind: 'status', status: 202, method: 'PATCH' },
    headers: {
      'azure-asyncoperation': `${elsewhere.simulator.origin}/operations/1`,
      location: 'file:///etc/passwd',
    },
  });
  await arm.patch(vm, patch, unending);
  t.same(await elsewhere.simulator.log(), []);
  t.same((await simulator.log()).map(({ method, machine }) => [method, machine]).at(-1), [
    'GET',
    armIdOf(vm).toLowerCase(),
  ]);
});

t.test('gives an operation up after 30 minutes, and at once when it is told to stop', async (t) => {
  const { arm, simulator, clock } = await rig(t);
  await simulator.configure({ operationMs: 3_600_000 });
  t.equal(await codeOf(arm.patch(vm, patch, unending)), 'arm-timeout');
  t.equal(clock.monotonic(), 1_805_000);
  const over = new AbortController();
  over.abort(new Error('the lease is lost'));
  t.equal(await codeOf(arm.patch(vmss, patch, over.signal)), 'the lease is lost');
});

t.test('tells what went wrong by a code, and repeats no token', async (t) => {
  const { arm, simulator, tokens, clock } = await rig(t);
  const cases: [string, ArmFault, number | undefined][] = [
    ['arm-unreachable', { kind: 'reset', count: 2 }, undefined],
    ['arm-garbled', { kind: 'garbage' }, undefined],
    [
      'arm-refused',
      {
        kind: 'status',
        status: 403,
        code: 'AuthorizationFailed',
        message: `no\u001b[0m for ${tokens[0]}`,
      },
      403,
    ],
    ['arm-refused', { kind: 'status', status: 404, code: 'SubscriptionNotFound' }, 404],
    ['arm-refused', { kind: 'status', status: 409, code: 'Conflict' }, 409],
    ['arm-refused', { kind: 'status', status: 500 }, 500],
    ['arm-gone', { kind: 'status', status: 404, code: 'ResourceGroupNotFound' }, undefined],
  ];
  for (const [code, fault, status] of cases) {
    await simulator.fault(fault);
    const error = await failureOf(() => arm.identitiesOf(vm));
    t.match(error, { code, message: /VM node1|Azure Resource Manager/, ...(status && { status }) });
    t.notMatch(error.message, /\u001b/);
    t.notOk(inspect(error, { depth: 9 }).includes(tokens[0] ?? 'none'));
    await simulator.clearFaults();
  }
  await simulator.fault({ kind: 'hang' });
  const late = codeOf(arm.identitiesOf(vm));
  while ((await simulator.log()).at(-1)?.status !== 'hang') await clock.advance(0);
  await clock.advance(65_000);
  t.equal(await late, 'arm-timeout');
});

t.test('overlooks no system-assigned identity, however ARM tells of it', async (t) => {
  const { arm, simulator } = await rig(t);
  const cases: [unknown, boolean, readonly (readonly [string, string])[]][] = [
    [undefined, false, []],
    [null, false, []],
    [{ type: 'None', userAssignedIdentities: null }, false, []],
    [{ type: 'SystemAssigned' }, true, []],
    [{ type: 'systemassigned,UserAssigned', userAssignedIdentities: { '/A': null } }, true, [['/a', '']]],
    [
      { type: 'UserAssigned', principalId: 'p', userAssignedIdentities: { '/A': { clientId: 'c' } } },
      true,
      [['/a', 'c']],
    ],
  ];
  for (const [identity, hasSystem, ids] of cases) {
    await simulator.fault({ kind: 'garbage', body: JSON.stringify({ identity }) });
    t.same(await arm.identitiesOf(vm), { hasSystem, userAssigned: new Map(ids) }, JSON.stringify(identity));
  }
});

t.test('a token that ARM does not take is asked for anew, once', async (t) => {
  const { arm, simulator, tokens, clock } = await rig(t);
  const good = tokens[0] ?? '';
  tokens.unshift(tokenFor('https://vault.azure.net', clock.now()));
  await arm.identitiesOf(vm);
  t.same(
    (await simulator.log()).map(({ status }) => status),
    [401, 200],
  );
  tokens.splice(0, 2, tokenFor('https://vault.azure.net', clock.now()));
  t.match(await failureOf(() => arm.identitiesOf(vm)), { code: 'arm-refused', status: 401 });
  tokens.push(good);
});

t.test('a limit of the subscription holds back its other machines, and no other subscription', async (t) => {
  const { arm, simulator, clock, remaining } = await rig(t);
  const elsewhere = { ...vm, subscription: 'sub2' };
  await simulator.addMachines(elsewhere);
  await simulator.configure({ limits: { sub1: { reads: 1, writes: 9, windowSec: 17 } } });
  await arm.identitiesOf(vm);
  t.match(await failureOf(() => arm.identitiesOf(vm)), {
    code: 'arm-throttled',
    status: 429,
    retryAfter: '17',
  });
  const asked = (await simulator.log()).length;
  await clock.advance(10_000);
  t.match(await failureOf(() => arm.identitiesOf(vmss)), { code: 'arm-throttled', retryAfter: '7' });
  t.equal(await codeOf(arm.patch(vmss, patch, unending)), 'arm-throttled');
  t.equal((await simulator.log()).length, asked, 'ARM is not even asked');
  await arm.identitiesOf(elsewhere);
  await clock.advance(7_000);
  await arm.identitiesOf(vmss);
  t.same(remaining, ['sub1 subscription-reads 0', 'sub1 subscription-reads 0', 'sub1 subscription-reads 0']);
});

t.test('a limit of one machine holds back that machine alone', async (t) => {
  const { arm, simulator } = await rig(t);
  const headers = {
    'retry-after': '40',
    'x-ms-ratelimit-remaining-subscription-writes': '180',
    'x-ms-ratelimit-remaining-resource':
      'Microsoft.Compute/UpdateVM;0,Microsoft.Compute/UpdateVMSubscription;1480',
  };
  await simulator.fault({ kind: 'status', status: 429, code: 'TooManyRequests', headers, method: 'PATCH' });
  t.match(await failureOf(() => arm.patch(vm, patch, unending)), { code: 'arm-throttled', retryAfter: '40' });
  t.equal(
    await codeOf(arm.identitiesOf({ ...vm, resourceGroup: 'mc_LAB' })),
    'arm-throttled',
    'in any letter case',
  );
  await arm.patch(vmss, patch, unending);
});
