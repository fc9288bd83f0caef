import t from 'tap';
import type { RequestRecord } from '../lab/imds/types.ts';
import { type Agent, type CallerKind, demo, startAgent } from './agent.ts';
import { asked, talk } from './client.ts';

const query = 'api-version=2018-02-01&resource=https://vault.azure.net';
const tokenPath = '/metadata/identity/oauth2/token';
const rebuilt = `${tokenPath}?api-version=2018-02-01&client_id=${demo.clientId}&resource=https%3A%2F%2Fvault.azure.net`;

/** Spellings, by what they are: those that IMDS and the original read in their own ways, then what other proxies fell for. */
const tokens = [
  tokenPath,
  `${tokenPath}/`,
  '/METADATA/identity/oauth2/token',
  '/MetaData/identity/oauth2/token/',
];
const identities = [
  '/metadata/identity',
  '/metadata/identity/info',
  '/metadata/identity/oauth2/tokenfoo',
  '/metadata/identity/oauth2/token/extra',
  '/metadata/identity/OAuth2/token',
  '/metadata/identity/x/oauth2/y/token',
  '/metadata/identity/getplatformmetadata',
];
const areas = [
  '/metadata/instance',
  '/metadata/instance/compute',
  '/metadata/versions',
  '/metadata/scheduledevents',
  '/metadata/loadbalancer',
  '/metadata/attested/document',
  '/metadata/instance/identity/oauth2/token',
];
const nowhere = [
  '/',
  '/metadata',
  '/metadata/',
  '/metadata/Identity/oauth2/token',
  '/metadata/identityoauth2token',
  '/metadata/Instance',
  '/metadata/instancefoo',
  '/foo/metadata/identity/oauth2/token',
  '/host/tokens',
  '/Host/token',
  '/latest/meta-data',
  '/computeMetadata/v1',
  '/doesnotexist',
];
const refused = [
  `/${tokenPath}`,
  '/metadata//identity/oauth2/token',
  '/metadata/identity/oauth2/token//',
  '//evil.example/metadata/identity/oauth2/token',
  '/./metadata/identity/oauth2/token',
  '/metadata/instance/../identity/oauth2/token',
  '/metadata/instance/%2e%2e/identity/oauth2/token',
  '/metadata/instance/..;/identity/oauth2/token',
  '/metadata/instance/..',
  '/metadata/identity\\oauth2\\token',
  '/metadata/identity%5Coauth2%5ctoken',
  '/metadata\\identity/oauth2/token',
  '/metadata%5cidentity/oauth2/token',
  '\\metadata\\identity\\oauth2\\token',
  '/metadata\\instance',
  '/metadata%255cidentity/oauth2/token',
  '/metadata/identity%2Foauth2%2Ftoken',
  '/metadata/identity/oauth2/toke%6e',
  '/metadata/%69dentity/oauth2/token',
  '/metadata/%69nstance',
  '/metadata/instance%2Fcompute',
  '/metadata/identity%0Aoauth2/token',
  '/metadata/identity/oauth2/token%00.css',
  '/metadata/identity/oauth2/token%20',
  '/metadata/identity/oauth2/token%3fa',
  '/metadata/identity/oauth2/token;a=b',
  '/metadata;x/identity/oauth2/token',
  '/metadata/identity/oauth2/token#',
  '/metadata/instance/http:/metadata/identity',
  '/metadata/\xc0\xafidentity/oauth2/token',
  '/metadata/instance/\xc0\xae\xc0\xae/identity/oauth2/token',
  '/metadata/\xefdentity',
  'http://169.254.169.254/metadata/identity/oauth2/token',
  'http://evil.example/metadata/identity/oauth2/token',
  'metadata/identity/oauth2/token',
  '*',
];
/** Refused by the parser, before there is a request. */
const malformed = [
  '/metadata/\tidentity',
  '/metadata/ identity',
  '/metadata/\0identity',
  '/metadata/identity\x0boauth2',
  '',
];

/** What reached IMDS, as request targets; each must be a GET that has no body. */
function targets(records: readonly RequestRecord[]): string[] {
  return records.map(({ method, target, bodyBytes, path }) =>
    method === 'GET' && bodyBytes === 0 && path !== ''
      ? target
      : `${method} ${target} with ${bodyBytes} bytes`,
  );
}

/** Asks for each spelling in turn; gives the statuses, whether each connection was closed, and what reached IMDS. */
async function tryAll(
  agent: Agent,
  caller: CallerKind,
  paths: readonly string[],
): Promise<{ seen: string[]; upstream: string[] }> {
  agent.caller = caller;
  const seen: string[] = [];
  for (const path of paths) {
    const { replies, closed } = await talk(agent, asked(`${path}?${query}`));
    const error = (JSON.parse(replies[0]?.body ?? '{}') as Record<string, string>).error;
    seen.push(
      `${path} ${replies.map(({ status }) => status)}${closed ? ' closed' : ''}${error ? ` ${error}` : ''}`,
    );
  }
  return { seen, upstream: targets(await agent.upstream()) };
}

const clean = (path: string): string =>
  `${path.replace(/\/$/, '').replace(/^\/metadata/i, '/metadata')}?${query}`;

t.test('the token path leads to one rebuilt call, for a bound pod', async (t) => {
  const agent = await startAgent(t);
  for (const path of tokens) {
    const { seen, upstream } = await tryAll(agent, 'bound', [path]);
    t.same(seen, [`${path} 200`]);
    t.same(upstream, [rebuilt]);
  }
});

t.test('the rebuilt call is ours to the last byte', async (t) => {
  const agent = await startAgent(t);
  await talk(
    agent,
    asked(
      `${tokenPath}/?a=%0d%0aX:y&resource=%0d%0aX:%20y&msi-res-id=${demo.resourceId}`,
      'User-Agent: x',
      'Cookie: x',
    ),
  );
  const [call, ...more] = await agent.upstream();
  t.same(more, []);
  t.equal(
    call?.raw,
    [
      `GET ${rebuilt.replace('https%3A%2F%2Fvault.azure.net', '%0D%0AX%3A+y')} HTTP/1.1`,
      `host: 127.0.0.1:${agent.imds.port}`,
      'connection: keep-alive',
      'metadata: true',
      'user-agent: agent/test',
      '\r\n',
    ].join('\r\n'),
  );
});

t.test('the token path leads nowhere for an unknown address, and to IMDS for an excepted pod', async (t) => {
  const agent = await startAgent(t);
  const unknown = await tryAll(agent, 'unknown', tokens);
  t.same(unknown, { seen: tokens.map((path) => `${path} 404 not_found`), upstream: [] });
  const excepted = await tryAll(agent, 'excepted', tokens);
  t.same(
    excepted.seen,
    tokens.map((path) => `${path} 200`),
  );
  t.same(
    excepted.upstream,
    tokens.map(() => `${tokenPath}?${query}`),
  );
});

t.test('what else is under identity exists for excepted pods alone', async (t) => {
  const agent = await startAgent(t);
  for (const caller of ['bound', 'unknown'] as const) {
    const { seen, upstream } = await tryAll(agent, caller, identities);
    t.same(
      seen,
      identities.map((path) => `${path} 404 not_found`),
    );
    t.same(upstream, []);
  }
  t.same((await tryAll(agent, 'excepted', identities)).upstream, identities.map(clean));
});

t.test('open areas pass by their clean path, for every pod of this node and for nobody else', async (t) => {
  const agent = await startAgent(t);
  const spelled = areas.flatMap((path) => [path, `${path}/`, path.replace('metadata', 'METAdata')]);
  for (const caller of ['bound', 'unknown', 'excepted'] as const) {
    const { upstream } = await tryAll(agent, caller, spelled);
    t.same(upstream, caller === 'unknown' ? [] : spelled.map(clean), caller);
  }
});

t.test('all else stays here, whoever asks', async (t) => {
  const agent = await startAgent(t);
  for (const caller of ['bound', 'unknown', 'excepted'] as const) {
    const quiet = await tryAll(agent, caller, nowhere);
    t.same(quiet, { seen: nowhere.map((path) => `${path} 404 not_found`), upstream: [] }, caller);
    const odd = [...refused, ...malformed];
    const loud = await tryAll(agent, caller, odd);
    t.same(loud, { seen: odd.map((path) => `${path} 400 closed invalid_request`), upstream: [] }, caller);
  }
});
