import t, { type Test } from 'tap';
import { FakeClock, settle } from '../../fakes/clock.ts';
import { type Imds, startImds } from '../imds/imds.ts';
import { asked, bodyOf, exchange, statusOf, tokenTarget } from '../imds/raw.ts';
import { mintToken, sampleIdentity, sampleSystemIdentity } from '../imds/token.ts';
import { type ArmSimulator, startArm } from './arm.ts';
import { armIdOf } from './azure.ts';
import type { ArmMachine } from './types.ts';

const demo = sampleIdentity('demo');
const other = sampleIdentity('other');
const node: ArmMachine = { kind: 'vmss', subscription: 's', resourceGroup: 'g', name: 'pool', hasImds: true };
const path = `${armIdOf(node)}?api-version=2019-12-01`;

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly status?: string;
    readonly error?: { readonly code: string };
    readonly properties?: { readonly provisioningState: string };
  };
}

interface Scene {
  readonly arm: ArmSimulator;
  readonly imds: Imds;
  readonly clock: FakeClock;
  ask(method: string, path: string, body?: unknown, token?: string): Promise<Reply>;
  /** Status of IMDS's answer to who asks for a token of this client id. */
  tokenOf(clientId: string): Promise<number>;
}

async function scene(test: Test): Promise<Scene> {
  const clock = new FakeClock();
  const imds = await startImds({ systemAssigned: null });
  const arm = await startArm({ clock, imds });
  test.teardown(() => Promise.all([arm.close(), imds.close()]));
  await arm.createIdentities(demo, other);
  await arm.addMachines(node);
  const good = tokenFor('https://management.azure.com/', clock.now());
  return {
    ...{ arm, imds, clock },
    ask: async (method, target, body, token = good) => {
      const url = new URL(target, arm.origin);
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(url, { method, ...sent, headers: { authorization: `Bearer ${token}` } });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: JSON.parse(text || '{}'),
      };
    },
    tokenOf: async (clientId) =>
      statusOf(await exchange(imds, asked(`${tokenTarget}&client_id=${clientId}`))),
  };
}

function tokenFor(audience: string, nowMs: number): string {
  return bodyOf(`\r\n\r\n${mintToken(sampleIdentity('mic'), audience, 3600, nowMs).body}`)
    .access_token as string;
}

function puts(...changes: readonly (readonly [id: string, value: object | null])[]): object {
  return { identity: { type: 'UserAssigned', userAssignedIdentities: Object.fromEntries(changes) } };
}

t.test('IMDS issues tokens for what ARM has assigned, from the end of the operation on', async (t) => {
  const { arm, clock, ask, tokenOf } = await scene(t);
  await arm.configure({ operationMs: 25_000 });
  t.equal(await tokenOf(demo.clientId), 400);
  const begun = await ask('PATCH', path, puts([demo.resourceId, {}]));
  t.equal(begun.body.properties?.provisioningState, 'Updating');
  const operation = begun.headers.get('azure-asyncoperation') ?? '';
  await clock.advance(24_999);
  t.equal((await ask('GET', operation)).body.status, 'InProgress');
  t.equal(await tokenOf(demo.clientId), 400);
  await clock.advance(1);
  t.equal((await ask('GET', operation)).body.status, 'Succeeded');
  t.equal(await tokenOf(demo.clientId), 200);
  t.match((await ask('GET', path)).body, {
    identity: {
      type: 'UserAssigned',
      userAssignedIdentities: { [demo.resourceId]: { clientId: demo.clientId } },
    },
    properties: { provisioningState: 'Succeeded' },
  });
  await ask('PATCH', path, { identity: { type: 'None' } });
  await clock.advance(25_000);
  t.equal(await tokenOf(demo.clientId), 400);
});

t.test('IMDS has the system-assigned identity until a type without it takes it away', async (t) => {
  const { arm, imds, ask } = await scene(t);
  await arm.addMachines({ ...node, systemAssigned: sampleSystemIdentity(), userAssigned: [demo.resourceId] });
  const chosen = async (): Promise<unknown> => bodyOf(await exchange(imds, asked(tokenTarget))).client_id;
  t.equal(await chosen(), sampleSystemIdentity().clientId);
  await ask('PATCH', path, puts([other.resourceId, {}]));
  await settle();
  t.equal((await arm.machine(armIdOf(node)))?.type, 'UserAssigned');
  t.equal(await chosen(), undefined, 'several, and none by default');
});

t.test('IMDS hears of no other machine, and of an identity that is deleted', async (t) => {
  const { arm, ask, tokenOf } = await scene(t);
  await arm.addMachines({ ...node, name: 'elsewhere', hasImds: false });
  await ask('PATCH', path.replace('pool', 'elsewhere'), puts([demo.resourceId, {}]));
  t.equal(await tokenOf(demo.clientId), 400);
  await ask('PATCH', path, puts([demo.resourceId, {}]));
  t.equal(await tokenOf(demo.clientId), 200);
  await arm.deleteIdentities(demo.resourceId);
  t.equal(await tokenOf(demo.clientId), 400);
});

t.test(
  'one created under the name of one that was deleted is not there until it is put on anew',
  async (t) => {
    const { arm, ask, tokenOf } = await scene(t);
    const [id, again] = [demo.resourceId, { ...sampleIdentity('again'), resourceId: demo.resourceId }];
    const seen = async (): Promise<unknown> => (await ask('GET', path)).body;
    await ask('PATCH', path, puts([id, {}]));
    await arm.deleteIdentities(id);
    await arm.createIdentities(again);
    const nobody = { principalId: null, clientId: null };
    t.match(await seen(), { identity: { userAssignedIdentities: { [id.toLowerCase()]: nobody } } });
    await ask('PATCH', path, puts([other.resourceId, {}]));
    t.equal(await tokenOf(again.clientId), 400, 'another change does not revive it');
    await ask('PATCH', path, puts([id, null]));
    await ask('PATCH', path, puts([id, {}]));
    t.equal(await tokenOf(again.clientId), 200);
    t.match(await seen(), { identity: { userAssignedIdentities: { [id]: { clientId: again.clientId } } } });
  },
);

t.test('refuses what ARM refuses', async (t) => {
  const { arm, clock, ask } = await scene(t);
  const cases: [string, Promise<Reply>, number, string][] = [
    ['no api-version', ask('GET', armIdOf(node)), 400, 'MissingApiVersionParameter'],
    ['no token', ask('GET', path, undefined, ''), 401, 'AuthenticationFailed'],
    [
      'a token for another',
      ask('GET', path, undefined, tokenFor('https://vault.azure.net', clock.now())),
      401,
      'Invalid',
    ],
    [
      'an old token',
      ask('GET', path, undefined, tokenFor('https://management.azure.com', 0)),
      401,
      'Invalid',
    ],
    ['another subscription', ask('GET', path.replace('/s/', '/t/')), 404, 'SubscriptionNotFound'],
    ['another machine', ask('GET', path.replace('pool', 'x')), 404, 'ResourceNotFound'],
    ['no type', ask('PATCH', path, { identity: {} }), 400, 'InvalidRequestContent'],
    [
      'ids without UserAssigned',
      ask('PATCH', path, { identity: { type: 'None', userAssignedIdentities: {} } }),
      400,
      'InvalidParameter',
    ],
    [
      'an id with a value',
      ask('PATCH', path, puts([demo.resourceId, { clientId: 'x' }])),
      400,
      'InvalidIdentityValues',
    ],
    [
      '151 ids',
      ask('PATCH', path, puts(...Array.from({ length: 151 }, (_, at) => [`x${at}`, {}] as const))),
      400,
      'InvalidParameter',
    ],
  ];
  for (const [what, answer, status, code] of cases) {
    const { status: actual, body } = await answer;
    t.equal(actual, status, what);
    t.match(body.error?.code, code, what);
  }
  await arm.configure({ operationMs: 1000 });
  t.equal((await ask('PATCH', path, puts([demo.resourceId, {}]))).status, 200);
  t.equal((await ask('PATCH', path, puts([other.resourceId, {}]))).status, 409, 'one operation at a time');
});

t.test('limits requests by subscription, in windows, and counts what is left', async (t) => {
  const { arm, clock, ask } = await scene(t);
  await arm.configure({ limits: { s: { reads: 2, writes: 1, windowSec: 60 } } });
  const left = async (): Promise<unknown> =>
    (await ask('GET', path)).headers.get('x-ms-ratelimit-remaining-subscription-reads');
  t.same([await left(), await left()], ['1', '0']);
  const { status, headers } = await ask('GET', path);
  t.same([status, headers.get('retry-after')], [429, '60']);
  t.equal((await ask('PATCH', path, puts([demo.resourceId, {}]))).status, 200, 'writes are counted apart');
  await clock.advance(60_000);
  t.equal((await ask('GET', path)).status, 200);
});

t.test('an operation may fail, and then has changed nothing', async (t) => {
  const { arm, ask } = await scene(t);
  for (const [style, header] of [
    ['operation', 'azure-asyncoperation'],
    ['location', 'location'],
  ] as const) {
    await arm.configure({ style });
    await arm.fault({ kind: 'fails', code: 'OperationPreempted', message: 'another came' });
    const begun = await ask('PATCH', path, puts([demo.resourceId, {}]));
    const { status, body } = await ask('GET', begun.headers.get(header) ?? '');
    t.match([status, body], [style === 'operation' ? 200 : 400, { error: { code: 'OperationPreempted' } }]);
    t.match(await arm.machine(armIdOf(node)), { type: 'None', provisioningState: 'Failed' });
  }
});
