import t from 'tap';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Token } from '../../lib/model/token.ts';
import { Broker, type Payment } from '../../lib/tokens/broker.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { anIdentity } from '../fakes/model.ts';

const hour = 3_600_000;
const vault = 'https://vault.azure.net';

/** Answers each call with a token that is numbered and lives a day, once the test lets it. */
class FakeSource implements TokenSource {
  readonly authority: string;
  readonly calls: string[] = [];
  /** Seconds that a new token lives. */
  lifeSec = 86_400;
  /** What the next calls fail with. */
  failure: Error | undefined;
  /** While set, calls wait for it. */
  gate: Promise<void> | undefined;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock, authority = 'imds') {
    this.#clock = clock;
    this.authority = authority;
  }

  credential({ namespace, name, type }: AzureIdentity): string {
    return type === 0 ? '' : `${namespace}/secret-of-${name}`;
  }

  async fetch(identity: AzureIdentity, resource: string): Promise<Token> {
    this.calls.push(`${identity.name} ${resource}`);
    const number = this.calls.length;
    await this.gate;
    if (this.failure) throw this.failure;
    const now = Math.floor(this.#clock.now() / 1000);
    return {
      accessToken: `token-${number}`,
      expiresOn: now + this.lifeSec,
      notBefore: now,
      tokenType: 'Bearer',
    };
  }
}

interface Bench {
  readonly clock: FakeClock;
  readonly source: FakeSource;
  readonly principals: FakeSource;
  readonly broker: Broker;
  readonly paid: Payment[];
  /** The number of the token that a request gets. */
  ask(identity?: Partial<AzureIdentity>, resource?: string): Promise<string>;
}

function start(): Bench {
  const clock = new FakeClock();
  const source = new FakeSource(clock);
  const principals = new FakeSource(clock, 'https://login.microsoftonline.com');
  const paid: Payment[] = [];
  const sources = new Map([
    [0, source],
    [1, principals],
    [2, principals],
  ]);
  const broker = new Broker({ clock, sources, onPaid: (payment) => paid.push(payment) });
  const ask = async (identity: Partial<AzureIdentity> = {}, resource = vault): Promise<string> =>
    (await broker.get(anIdentity(identity), resource)).accessToken;
  return { clock, source, principals, broker, paid, ask };
}

t.test('pays once, and serves the rest from what it paid for', async (t) => {
  const { ask, source, paid } = start();
  t.same([await ask(), await ask(), await ask()], ['token-1', 'token-1', 'token-1']);
  t.same(source.calls, [`demo ${vault}`]);
  t.same(paid, ['fetched', 'cached', 'cached']);
});

t.test('makes one call for all who ask at the same time', async (t) => {
  const { ask, source, paid } = start();
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  const asked = Promise.all(Array.from({ length: 200 }, () => ask()));
  await settle();
  t.equal(source.calls.length, 1);
  gate.resolve();
  t.same(new Set(await asked), new Set(['token-1']));
  t.equal(source.calls.length, 1);
  t.same(paid.toSorted(), ['fetched', ...Array(199).fill('shared')]);
});

t.test('shares between letter cases of one client id, and between objects that name it', async (t) => {
  const { ask, source } = start();
  const { clientId } = anIdentity();
  await ask({ clientId });
  t.equal(await ask({ clientId: clientId.toUpperCase() }), 'token-1');
  t.equal(await ask({ namespace: 'other', name: 'same' }), 'token-1');
  t.equal(source.calls.length, 1);
});

t.test('shares nothing between resources, by the byte', async (t) => {
  const { ask } = start();
  const resources = [vault, `${vault}/`, vault.toUpperCase(), `${vault} `, 'api://x'];
  const tokens = [];
  for (const resource of resources) tokens.push(await ask({}, resource));
  t.same(tokens, ['token-1', 'token-2', 'token-3', 'token-4', 'token-5']);
});

t.test('shares nothing between identities, types and credentials', async (t) => {
  const { ask, source, principals } = start();
  await ask();
  await ask({ clientId: 'another' });
  t.equal(source.calls.length, 2);
  await ask({ type: 1 });
  await ask({ type: 1, namespace: 'other' });
  await ask({ type: 2 });
  t.equal(principals.calls.length, 3, 'the same client, but not the same proof');
  await ask({ type: 1 });
  t.equal(principals.calls.length, 3);
});

t.test('no client id and resource can be joined to look like another pair', async (t) => {
  const { ask } = start();
  t.equal(await ask({ clientId: 'a","b' }, 'c'), 'token-1');
  t.equal(await ask({ clientId: 'a' }, 'b","c'), 'token-2');
});

t.test('pays again for a token that is an hour old', async (t) => {
  const { ask, clock } = start();
  await ask();
  await clock.advance(hour - 1);
  t.equal(await ask(), 'token-1');
  await clock.advance(1);
  t.equal(await ask(), 'token-2');
  await clock.advance(hour - 1);
  t.equal(await ask(), 'token-2', 'the hour begins anew');
});

t.test('serves a token while 5 minutes of it are left, and never after', async (t) => {
  const { ask, source, clock } = start();
  source.lifeSec = 1800;
  await ask();
  await clock.advance(1500_000);
  t.equal(await ask(), 'token-1');
  await clock.advance(1);
  t.equal(await ask(), 'token-2');
});

t.test('keeps the old token while it is valid and the source fails', async (t) => {
  const { ask, source, clock, paid } = start();
  source.lifeSec = 2 * 3600;
  await ask();
  await clock.advance(hour);
  source.failure = new Error('away');
  t.same([await ask(), await ask()], ['token-1', 'token-1']);
  t.equal(source.calls.length, 3, 'and tries again each time');
  t.same(paid, ['fetched', 'kept', 'kept']);
  await clock.advance(hour - 300_000 + 1);
  t.equal((await failureOf(() => ask())).message, 'away', 'but no longer than it is valid');
  source.failure = undefined;
  t.equal(await ask(), 'token-5');
});

t.test('does not keep a token that has run out while the source was asked', async (t) => {
  const { ask, source, clock } = start();
  source.lifeSec = 3600 + 300 + 5;
  await ask();
  await clock.advance(hour);
  const gate = Promise.withResolvers<void>();
  source.gate = gate.promise;
  source.failure = new Error('away');
  const failure = failureOf(() => ask());
  await clock.advance(6000);
  gate.resolve();
  t.equal((await failure).message, 'away');
});

t.test('gives a failure to all who waited, and remembers nothing of it', async (t) => {
  const { ask, source, paid } = start();
  const away = new Error('away');
  source.failure = away;
  const failures = await Promise.all([
    failureOf(() => ask()),
    failureOf(() => ask()),
    failureOf(() => ask()),
  ]);
  t.strictSame(failures, [away, away, away]);
  t.equal(source.calls.length, 1);
  t.same(paid, [], 'nobody was paid');
  source.failure = undefined;
  t.equal(await ask(), 'token-2');
});

t.test('refuses a new token that has run out already, and keeps a better old one', async (t) => {
  const { ask, source, clock } = start();
  source.lifeSec = 299;
  t.strictSame(await refusalOf(() => ask()), {
    code: 'imds-garbled',
    message: 'the source handed out a token with under 5 minutes left',
  });
  source.lifeSec = 2 * 3600;
  await ask();
  await clock.advance(hour);
  source.lifeSec = 0;
  t.equal(await ask(), 'token-2');
});

t.test('holds 4,096 tokens, and forgets the one that was asked for longest ago', async (t) => {
  const { ask, source } = start();
  for (let i = 0; i < 4096; i++) await ask({}, `api://${i}`);
  await ask({}, 'api://0');
  t.equal(source.calls.length, 4096, 'all of them are held');
  await ask({}, 'api://one-more');
  await ask({}, 'api://0');
  t.equal(source.calls.length, 4097, 'what was asked for lately stays');
  await ask({}, 'api://1');
  t.equal(source.calls.length, 4098, 'what was not has gone');
});

t.test('says that a type has no source, and asks none', async (t) => {
  const { ask, source, principals } = start();
  for (const type of [3, -1, Number.NaN])
    t.strictSame(await refusalOf(() => ask({ type })), {
      code: 'identity-type-unsupported',
      message: `AzureIdentity type ${type} has no token source`,
    });
  t.same([source.calls, principals.calls], [[], []]);
});
