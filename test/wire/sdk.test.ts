import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { sampleIdentity } from '../lab/imds/token.ts';
import { demo, startAgent } from './agent.ts';
import { ask, asked, jsonOf, request } from './client.ts';
import { type Head, heads } from './heads.ts';

const tokens = heads.filter(({ kind }) => kind === 'token');
const probes = heads.filter(({ kind }) => kind === 'probe');
const other = sampleIdentity('other');
const tokenPath = '/metadata/identity/oauth2/token';
const version = 'api-version=2018-02-01';
const vault = 'resource=https%3A%2F%2Fvault.azure.net';

t.test('every client gets its token, from the one rebuilt call', async (t) => {
  const agent = await startAgent(t);
  for (const head of tokens) {
    const reply = await ask(agent, head.bytes);
    t.equal(reply.status, 200, nameOf(head));
    t.equal(reply.closed, isLast(head), 'the connection goes on as the client wants');
    const body = jsonOf(reply);
    t.equal(
      Object.keys(body).join(),
      'access_token,refresh_token,client_id,expires_in,expires_on,ext_expires_in,not_before,resource,token_type',
    );
    t.ok(
      Object.values(body).every((value) => typeof value === 'string'),
      'strings all',
    );
    t.match(body, { client_id: demo.clientId, resource: 'https://vault.azure.net', token_type: 'Bearer' });
    t.match(reply.headers, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': String(reply.body.length),
    });
    const calls = (await agent.upstream()).map(({ target }) => target);
    t.same(calls, [`${tokenPath}?${version}&client_id=${demo.clientId}&${vault}`]);
  }
});

t.test('no client gets a token for an identity that its pod is not bound to', async (t) => {
  const agent = await startAgent(t);
  const naming = tokens.filter(({ target }) => /[?&](client|ms?i_res|object)_id=/.test(target));
  for (const head of naming) {
    const target = head.target
      .replace(demo.clientId, other.clientId)
      .replace(demo.objectId, other.objectId)
      .replace(/(userAssignedIdentities(?:\/|%2F))demo/, '$1other');
    t.not(target, head.target);
    const reply = await ask(agent, head.bytes.replace(head.target, target));
    t.match(reply, { status: 400, closed: isLast(head) }, nameOf(head));
    t.match(jsonOf(reply), { error: 'invalid_request', error_description: /^Identity not found\. / });
  }
  t.same(await agent.upstream(), []);
});

t.test('an excepted pod gets what IMDS gives the node, asked in the client’s own words', async (t) => {
  const agent = await startAgent(t);
  agent.caller = 'excepted';
  const carried = ['accept', 'connection', 'content-type', 'host', 'metadata', 'user-agent'];
  for (const head of tokens) {
    t.equal((await ask(agent, head.bytes)).status, 200, nameOf(head));
    const own = head.target.replace('token/?', 'token?');
    const calls = await agent.upstream();
    t.same(
      calls.map(({ target }) => target),
      [own.includes(version) ? own : `${own}&${version}`],
    );
    const names = calls.flatMap(({ headerNames }) => headerNames.map((name) => name.toLowerCase()));
    const more = names.filter((name) => !carried.includes(name) && name !== 'x-ms-client-request-id');
    t.same(more, [], 'no offer of HTTP/2, no length, no encoding');
  }
});

t.test('every probe is answered at once: no look-up, nothing upstream', async (t) => {
  const agent = await startAgent(t);
  for (const caller of ['bound', 'excepted', 'unknown'] as const) {
    agent.caller = caller;
    for (const head of probes) {
      const reply = await ask(agent, head.bytes);
      t.match(reply, { status: head.status, closed: false }, `${nameOf(head)} (${caller})`);
      const { error_description } = jsonOf(reply);
      // Azure.Identity .NET gives up at the one, @azure/identity and Python's at the other.
      t.notMatch(reply.body, /Identity not found|unreachable/i);
      if (head.status === 400) t.equal(error_description, 'Required metadata header not specified');
    }
  }
  const looked = agent.served.filter(({ trace }) => trace.pod !== undefined);
  t.same(looked, [], 'nobody was asked who has the address');
  t.same(await agent.upstream(), []);
});

t.test('a connection without a request, as azure-identity Java probed before MSAL, is none', async (t) => {
  const agent = await startAgent(t);
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const socket = connect(agent.port, agent.host);
    await once(socket, 'connect');
    socket[leave]();
    await once(socket, 'close');
  }
  t.equal((await ask(agent, asked('/metadata/versions', 'Connection: close'))).status, 200);
  t.equal(agent.served.length, 1, 'one record, of the request');
});

t.test('the probe of /metadata/instance is answered where that is blocked, too', async (t) => {
  const agent = await startAgent(t, { blockInstanceMetadata: true });
  const target = '/metadata/instance?api-version=2020-09-01';
  t.equal((await ask(agent, request('GET', target))).status, 400);
  const blocked = await ask(agent, asked(target));
  t.equal(blocked.status, 403);
  t.notMatch(blocked.body, /unreachable/i);
  t.same(await agent.upstream(), []);
});

t.test('the resource stays as it is byte for byte: a slash at the end is another audience', async (t) => {
  const agent = await startAgent(t);
  const resources = [
    'https://vault.azure.net',
    'https://vault.azure.net/',
    'https://VAULT.azure.net',
    'api://a b+c/é&x=y',
  ];
  for (const resource of resources) {
    const reply = await ask(agent, asked(`${tokenPath}?${version}&resource=${encodeURIComponent(resource)}`));
    t.equal(jsonOf(reply).resource, resource);
  }
  const issued = agent.imds.tokensIssued().map(({ resource }) => resource);
  t.same(issued, resources);
});

function nameOf({ client, evidence }: Head): string {
  return `${client}: ${evidence}`;
}

/** Whether the connection ends with the reply, as in HTTP/1.0 unless it is asked to stay. */
function isLast({ bytes }: Head): boolean {
  return bytes.includes(' HTTP/1.0\r\n');
}
