import t from 'tap';
import { settle } from '../fakes/clock.ts';
import { failureOf, refusalOf } from '../fakes/failure.ts';
import { anIdentity } from '../fakes/model.ts';
import { start, vault } from './broker-rig.ts';

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

t.test('serves a token while 5 minutes of it are left, and never after', async (t) => {
  const { ask, source, clock, events } = start();
  source.lifeSec = 1800;
  await ask();
  source.failure = new Error('away');
  await clock.advance(1500_000);
  t.equal(await ask(), 'token-1');
  await clock.advance(1);
  t.equal((await failureOf(() => ask())).message, 'away');
  t.same(events, ['renewal-failed', 'expired']);
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

t.test('holds 4,096 tokens, and forgets the one that was asked for longest ago', async (t) => {
  const { ask, source, events } = start();
  const clientOf = (i: number): { clientId: string } => ({ clientId: `client-${i}` });
  for (let i = 0; i < 4096; i++) await ask(clientOf(i));
  await ask(clientOf(0));
  t.equal(source.calls.length, 4096, 'all of them are held');
  await ask(clientOf(4096));
  await ask(clientOf(0));
  t.equal(source.calls.length, 4097, 'what was asked for lately stays');
  await ask(clientOf(1));
  t.equal(source.calls.length, 4098, 'what was not has gone');
  t.same(events, ['full', 'full']);
});

t.test("one identity's resources push out no token of another's", async (t) => {
  const { ask, source, principals, broker } = start();
  await ask();
  await ask({ type: 1 });
  await ask({ type: 1, name: 'other' });
  for (let i = 0; i < 5_000; i++) await ask({ type: 1, namespace: 'greedy' }, `api://${i}`);
  t.equal(broker.size, 3 + 64);
  t.equal(await ask(), 'token-1');
  t.equal(await ask({ type: 1 }), 'token-1');
  t.equal(await ask({ type: 1, name: 'other' }), 'token-2');
  t.same([source.calls.length, principals.calls.length], [1, 5_002]);
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

t.test('tells of every token that a source hands out, once, and for whom', async (t) => {
  const { ask, fetched, source } = start();
  await Promise.all([ask(), ask(), ask({ name: 'same' })]);
  await ask();
  t.same(fetched, ['demo token-1']);
  await ask({ name: 'other', clientId: 'other', type: 1 });
  t.same(fetched, ['demo token-1', 'other token-1']);
  source.failure = new Error('away');
  await failureOf(() => ask({}, 'api://x'));
  t.equal(fetched.length, 2, 'nothing of a failure');
});
