import t, { type Test } from 'tap';
import { loadValidatorConfig } from '../../lib/identityvalidator/flags.ts';
import { runValidator } from '../../lib/identityvalidator/validator.ts';
import { createHttpClient, type HttpProxy } from '../../lib/platform/http.ts';
import { secret } from '../demo/fake-azure.ts';
import { holdsNoToken, identity, type Rig, rig } from '../demo/rig.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { sampleIdentity } from '../lab/imds/token.ts';

const pod = { namespace: 'apps', name: 'tester', ip: '10.0.0.7' };
const ids = [`--identity-client-id=${identity.clientId}`, `--identity-resource-id=${identity.resourceId}`];
const vault = ['--keyvault-name=kv1', '--keyvault-secret-name=demo'];
const all = [...ids, ...vault, `--keyvault-secret-value=${secret}`];

interface Running {
  readonly clock: FakeClock;
  readonly isSo: Promise<boolean>;
  /** Whom it has connected to. */
  readonly origins: readonly string[];
  end(): void;
}

function start(t: Test, { azure, log, fake }: Rig, args: readonly string[]): Running {
  const clock = new FakeClock();
  const stop = new AbortController();
  const origins: string[] = [];
  const openHttp = (asked: string, proxy?: HttpProxy): ReturnType<typeof createHttpClient> => {
    origins.push(proxy ? `${asked} by way of ${proxy.url}` : asked);
    const origin = asked.startsWith('https:') ? fake.origin : asked;
    return createHttpClient({ origin, connections: 3, maxBytes: 65_536, clock });
  };
  const config = loadValidatorConfig(args, {});
  const isSo = runValidator({ config, azure, pod, openHttp, clock, log }, stop.signal);
  t.teardown(() => {
    stop.abort();
    return isSo;
  });
  return { clock, isSo, origins, end: () => stop.abort() };
}

t.test('by client id, by resource id and by none, with a secret of a Key Vault', async (t) => {
  const parts = await rig(t, { readers: [identity.clientId] });
  const azure = { ...parts.azure, proxy: { url: 'http://proxy.test:3128', except: '' } };
  const { isSo, origins } = start(t, { ...parts, azure }, [...all, '--keyvault-secret-version=7']);
  t.equal(await isSo, true);
  t.same([...parts.lines].slice(1).sort(), [
    `INFO  successfully acquired a token using the MSI, msiEndpoint(${parts.imds.url}/metadata/identity/oauth2/token)`,
    `INFO  successfully verified user-assigned identity on pod, clientID(${identity.clientId}): read secret demo of Key Vault kv1`,
    `INFO  successfully verified user-assigned identity on pod, resourceID(${identity.resourceId}): read secret demo of Key Vault kv1`,
  ]);
  t.same(parts.fake.log, ['GET /secrets/demo/7 200', 'GET /secrets/demo/7 200']);
  t.same([...origins].sort(), [
    parts.imds.url,
    'https://kv1.vault.azure.net by way of http://proxy.test:3128',
  ]);
  const text = parts.lines.join('\n');
  holdsNoToken(t, text);
  t.notMatch(text, secret, 'no secret');
});

t.test('without a Key Vault a token is enough, and what is not named is not checked', async (t) => {
  const parts = await rig(t);
  t.equal(await start(t, parts, ids).isSo, true);
  t.equal(parts.lines.length, 4);
  t.same(parts.fake.log, []);
  const bare = await rig(t);
  t.equal(await start(t, bare, []).isSo, true);
  t.equal(bare.lines.length, 2);
});

t.test('fails, with the reason and without the value, where a check fails', async (t) => {
  const refused = await rig(t);
  t.equal(await start(t, refused, all).isSo, false);
  t.match(
    refused.lines.join('\n'),
    /failed to verify .*clientID.*: Key Vault kv1 answered 403 Forbidden: The user/,
  );

  const other = await rig(t, { readers: [identity.clientId] });
  t.equal(await start(t, other, [...ids, ...vault]).isSo, false);
  t.match(
    other.lines.join('\n'),
    /secret demo of Key Vault kv1 holds something else than --keyvault-secret-value/,
  );
  t.notMatch(other.lines.join('\n'), secret);

  const missing = await rig(t, { readers: [identity.clientId] });
  t.equal(await start(t, missing, [...all, '--keyvault-secret-name=none']).isSo, false);
  t.match(missing.lines.join('\n'), /404 SecretNotFound/);
});

t.test('a token of somebody else is a failure, by either id', async (t) => {
  const stranger = sampleIdentity('stranger');
  const claims = { appid: stranger.clientId, xms_mirid: stranger.resourceId };
  const token = `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
  const { imds, lines, ...parts } = await rig(t);
  imds.fault({ kind: 'status', status: 200, body: JSON.stringify({ access_token: token }), count: 3 });
  t.equal(await start(t, { imds, lines, ...parts }, ids).isSo, false);
  const text = lines.join('\n');
  t.match(text, `clientID(${identity.clientId}): the token is one of ${stranger.clientId}`);
  t.match(text, `resourceID(${identity.resourceId}): the token is one of ${stranger.resourceId}`);
});

t.test('waits for an identity that is not there yet, ten times ten seconds at most', async (t) => {
  const late = await rig(t);
  late.imds.unassign(identity.clientId);
  const waiting = start(t, late, []);
  await late.logged(2);
  t.match(
    late.lines[1],
    /^INFO {2}cannot acquire .* yet: .*400 invalid_request: Identity not found attempt=1$/,
  );
  await eventually('it pauses', () => waiting.clock.waiting > 0);
  late.imds.assign(identity);
  await waiting.clock.advance(10_000);
  t.equal(await waiting.isSo, true);

  const never = await rig(t);
  never.imds.unassign(identity.clientId);
  const { clock, isSo } = start(t, never, []);
  for (let attempt = 1; attempt < 10; attempt++) {
    await never.logged(attempt + 1);
    await clock.advance(10_000);
  }
  t.equal(await isSo, false);
  t.match(never.lines.at(-1), /^ERROR failed to acquire/);
  t.equal(never.imds.log().length, 10);
});

t.test('tries again what passes: not yet assigned, updating, busy, broken, out of reach', async (t) => {
  const parts = await rig(t);
  const statuses = [404, 410, 429, 500, 503];
  parts.imds.fault({ kind: 'reset' }, ...statuses.map((status) => ({ kind: 'status', status }) as const));
  const { clock, isSo } = start(t, parts, []);
  for (let attempt = 1; attempt <= statuses.length + 1; attempt++) {
    await parts.logged(attempt + 1);
    await clock.advance(10_000);
  }
  t.equal(await isSo, true);
  t.match(parts.lines[1], /cannot acquire .* yet: the token endpoint cannot be reached \(\w+\) attempt=1$/);
});

t.test('told to end, it ends at once and counts what it has not seen as failed', async (t) => {
  const parts = await rig(t);
  parts.imds.fault({ kind: 'hang' });
  const { end, isSo } = start(t, parts, []);
  await eventually('the request is under way', () => parts.imds.log().length > 0);
  end();
  t.equal(await isSo, false);
});

t.test('with --sleep it asks nobody and waits', async (t) => {
  const parts = await rig(t);
  const { end, isSo, origins } = start(t, parts, ['--sleep', ...all]);
  end();
  t.equal(await isSo, true);
  t.same(origins, []);
});
