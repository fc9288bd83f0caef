import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { demo, startAgent } from './agent.ts';
import { ask, asked, jsonOf, request } from './client.ts';

const tokenPath = '/metadata/identity/oauth2/token';
const version = 'api-version=2018-02-01';
const vault = 'https%3A%2F%2Fvault.azure.net';
const id = demo.clientId;
const arm = encodeURIComponent(demo.resourceId);

/** Java's own HTTP client adds these to every plain request (measured, JDK 17). */
const h2c = [
  'Connection: Upgrade, HTTP2-Settings',
  'Content-Length: 0',
  'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
  'Upgrade: h2c',
];

/** Probes, all without `Metadata: true`, and the status by which each SDK goes on. */
const probes: [string, string, string[], number][] = [
  ['Go azidentity', tokenPath, ['User-Agent: azsdk-go-azidentity/v1.13.0', 'Accept-Encoding: gzip'], 400],
  ['@azure/identity', tokenPath, ['Accept: application/json', 'Connection: keep-alive'], 400],
  ['Python azure-identity', `${tokenPath}?${version}&resource=https://vault.azure.net`, ['Accept: */*'], 400],
  ['Azure.Identity .NET', `${tokenPath}?${version}&resource=${vault}&client_id=${id}`, [], 400],
  [
    'Azure.Identity .NET, an unknown id',
    `${tokenPath}?${version}&resource=${vault}&msi-res-id=none`,
    [],
    400,
  ],
  [
    'Azure.Identity .NET, by resource id',
    `${tokenPath}?${version}&resource=${vault}&msi-res-id=${arm}`,
    [],
    400,
  ],
  ['MSAL .NET, is there an IMDSv2', '/metadata/identity/getplatformmetadata?cred-api-version=2.0', [], 404],
  ['MSAL .NET, is there an IMDSv1', `${tokenPath}?${version}`, [], 400],
  ['AppAuthentication .NET', '/metadata/instance?api-version=2020-09-01', [], 400],
  ['a library with a base URL', `${tokenPath}/`, [], 400],
  ['Java’s own client', tokenPath, h2c, 400],
  [
    'curl, without the header',
    `${tokenPath}/?resource=${vault}`,
    ['User-Agent: curl/8.5.0', 'Accept: */*'],
    400,
  ],
  ['adal', tokenPath, ['User-Agent: Go-http-client/1.1'], 400],
];

t.test('answers every probe at once: no look-up, nothing upstream', async (t) => {
  const agent = await startAgent(t);
  for (const caller of ['bound', 'excepted', 'unknown'] as const) {
    agent.caller = caller;
    for (const [name, target, lines, status] of probes) {
      const reply = await ask(agent, request('GET', target, ...lines));
      t.equal(reply.status, status, `${name} (${caller})`);
      const { error_description = '' } = jsonOf(reply);
      t.notMatch(reply.body, /Identity not found|unreachable/);
      if (status === 400) t.equal(error_description, 'Required metadata header not specified');
    }
  }
  const looked = agent.served.filter(({ trace }) => trace.pod !== undefined);
  t.same(looked, [], 'nobody was asked who has the address');
  t.same(await agent.upstream(), []);
});

t.test('still answers the probe of /metadata/instance where it is blocked', async (t) => {
  const agent = await startAgent(t, { blockInstanceMetadata: true });
  const target = '/metadata/instance?api-version=2020-09-01';
  t.equal((await ask(agent, request('GET', target))).status, 400);
  const blocked = await ask(agent, asked(target));
  t.equal(blocked.status, 403);
  t.notMatch(blocked.body, /unreachable/i);
  t.same(await agent.upstream(), []);
});

t.test('a connection without a request, as Java’s probe makes it, is no request', async (t) => {
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
