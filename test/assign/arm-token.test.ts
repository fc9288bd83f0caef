import t, { type Test } from 'tap';
import {
  type ArmTokenValue,
  createArmToken,
  type FetchArmToken,
  fromImds,
} from '../../lib/assign/arm-token.ts';
import { createHttpClient } from '../../lib/platform/http.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { type Imds, startImds } from '../lab/imds/imds.ts';
import { claimsOf, sampleIdentity, sampleSystemIdentity } from '../lab/imds/token.ts';

/** Gives tokens of an hour, named by their number; what `fails` says instead. */
function source(clock: FakeClock) {
  const state = {
    calls: 0,
    fails: undefined as Error | undefined,
    held: undefined as Promise<void> | undefined,
  };
  const fetch = async (): Promise<ArmTokenValue> => {
    const number = ++state.calls;
    await state.held;
    if (state.fails) throw state.fails;
    return { accessToken: `token ${number}`, expiresOn: clock.now() / 1000 + 3600 };
  };
  return { state, token: createArmToken(clock, fetch) };
}

t.test('keeps a token until 5 minutes before its end', async (t) => {
  const clock = new FakeClock();
  const { token } = source(clock);
  t.equal(await token(), 'token 1');
  await clock.advance(54 * 60_000);
  t.equal(await token(), 'token 1');
  await clock.advance(60_000);
  t.equal(await token(), 'token 2');
});

t.test('makes one call for all who ask at once', async (t) => {
  const { state, token } = source(new FakeClock());
  const gate = Promise.withResolvers<void>();
  state.held = gate.promise;
  const all = Promise.all(Array.from({ length: 20 }, () => token()));
  gate.resolve();
  t.same(new Set(await all), new Set(['token 1']));
  t.equal(state.calls, 1);
});

t.test('the old token serves while no new one can be had, and as long as it lasts', async (t) => {
  const clock = new FakeClock();
  const { state, token } = source(clock);
  await token();
  state.fails = new Error('IMDS is away');
  await clock.advance(58 * 60_000);
  t.equal(await token(), 'token 1');
  await clock.advance(2 * 60_000);
  await t.rejects(token(), /IMDS is away/);
  state.fails = undefined;
  await clock.advance(2_000);
  t.equal(await token(), 'token 4');
});

t.test('a thousand machines without a token do not ask a thousand times', async (t) => {
  const clock = new FakeClock();
  const { state, token } = source(clock);
  state.fails = new Error('IMDS limits us');
  for (let machine = 0; machine < 1_000; machine++) {
    await t.rejects(token(), /IMDS limits us/);
    await clock.advance(10);
  }
  t.equal(state.calls, 5, 'in ten seconds');
  state.fails = undefined;
  await clock.advance(2_000);
  t.equal(await token(), 'token 6');
});

t.test('a token that ARM refused is not handed out again', async (t) => {
  const { state, token } = source(new FakeClock());
  const first = await token();
  t.equal(await token(first), 'token 2');
  t.equal(await token(first), 'token 2', 'who was refused later gets the new one');
  state.fails = new Error('IMDS is away');
  await t.rejects(token('token 2'), /IMDS is away/);
});

async function imds(
  test: Test,
): Promise<{ imds: Imds; clock: FakeClock; fetcher: (identity: string) => FetchArmToken }> {
  const simulator = await startImds({ identities: [sampleIdentity('mic')] });
  const clock = new FakeClock();
  const http = createHttpClient({ origin: simulator.url, connections: 1, maxBytes: 65_536, clock });
  test.teardown(async () => {
    await http.close();
    await simulator.close();
  });
  const fetcher = (identity: string): FetchArmToken =>
    fromImds({
      http,
      userAgent: 'pod-identity/MIC/test',
      audience: 'https://management.azure.com',
      identity,
    });
  return { imds: simulator, clock, fetcher };
}

t.test('asks IMDS for the system-assigned identity, or for one by client id or ARM id', async (t) => {
  const { fetcher } = await imds(t);
  const mic = sampleIdentity('mic');
  const cases = [
    ['', sampleSystemIdentity().clientId],
    [mic.clientId.toUpperCase(), mic.clientId],
    [mic.resourceId, mic.clientId],
  ] as const;
  for (const [asked, clientId] of cases) {
    const { accessToken, expiresOn } = await fetcher(asked)();
    t.match(claimsOf(accessToken), { aud: 'https://management.azure.com', appid: clientId, exp: expiresOn });
  }
});

t.test('tells why IMDS gave none, without what it said', async (t) => {
  const { imds: simulator, fetcher } = await imds(t);
  t.match(await failureOf(fetcher(sampleIdentity('other').clientId)), {
    code: 'imds-refused',
    status: 400,
    message: /MIC's own identity is not on this machine/,
  });
  simulator.fault({ kind: 'garbage' });
  t.match(await failureOf(fetcher('')), { code: 'imds-garbled' });
  simulator.fault({ kind: 'reset' }, { kind: 'reset' });
  t.match(await failureOf(fetcher('')), { code: 'imds-unreachable' });
});
