import t from 'tap';
import { demo, startAgent } from './agent.ts';
import { ask, asked, jsonOf } from './client.ts';

const tokenPath = '/metadata/identity/oauth2/token';
const version = 'api-version=2018-02-01';
const vault = 'https%3A%2F%2Fvault.azure.net';
const id = demo.clientId;
const arm = encodeURIComponent(demo.resourceId);

/** Request heads as SDKs send them (users-and-wire 3.1): target, then what each adds to `Metadata: true`. */
const forms: [string, string, string[]][] = [
  [
    'Go azidentity',
    `${tokenPath}?${version}&client_id=${id}&resource=${vault}`,
    ['x-client-SKU: MSAL.Go', 'x-client-Ver: 1.4.2', 'x-ms-client-request-id: 1'],
  ],
  [
    'Go azidentity, by resource id',
    `${tokenPath}?${version}&msi_res_id=${arm}&resource=${vault}`,
    ['User-Agent: azsdk-go-azidentity/v1.13.0'],
  ],
  [
    'Go azidentity, by object id',
    `${tokenPath}?${version}&object_id=${demo.objectId}&resource=${vault}`,
    ['Accept-Encoding: gzip'],
  ],
  [
    'MSAL Go',
    `${tokenPath}?${version}&client_id=${id}&resource=${vault}`,
    [
      'User-Agent: Go-http-client/1.1',
      'X-Client-Sku: MSAL.Go',
      'X-Client-Ver: 1.4.2',
      'Accept-Encoding: gzip',
    ],
  ],
  [
    'MSAL .NET',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['x-client-sku: MSAL.NetCore', 'client-request-id: 1'],
  ],
  ['MSAL .NET, by resource id', `${tokenPath}?${version}&resource=${vault}&msi_res_id=${arm}`, []],
  ['Azure.Identity .NET, hyphens', `${tokenPath}?${version}&resource=${vault}&msi-res-id=${arm}`, []],
  [
    'MSAL JS',
    `${tokenPath}?${version}&resource=${vault}&mi_res_id=${arm}`,
    ['Content-Type: application/x-www-form-urlencoded;charset=utf-8'],
  ],
  [
    'msal-node with a base URL',
    `${tokenPath}/?${version}&resource=${vault}&msi_res_id=${arm}`,
    ['sec-fetch-mode: cors', 'accept: */*', 'accept-language: *'],
  ],
  [
    '@azure/identity',
    `${tokenPath}?resource=${vault}&${version}&client_id=${id}`,
    ['Accept: application/json', 'Content-Length: 0'],
  ],
  [
    'MSAL Java',
    `${tokenPath}?${version}&resource=${vault}&object_id=${demo.objectId}`,
    ['x-client-SKU: MSAL.Java'],
  ],
  [
    'MSAL Java over Java’s own HTTP client',
    `${tokenPath}?${version}&resource=${vault}`,
    [
      'Connection: Upgrade, HTTP2-Settings',
      'Content-Length: 0',
      'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      'Upgrade: h2c',
      'User-Agent: Java-http-client/17.0.17',
    ],
  ],
  [
    'azure-identity Java',
    `${tokenPath}?${version}&resource=${vault}&mi_res_id=${arm}`,
    ['User-Agent: azsdk-java-azure-identity/1.9', 'Accept: text/html, image/gif, image/jpeg, */*; q=0.2'],
  ],
  [
    'Python azure-identity',
    `${tokenPath}?${version}&resource=https://vault.azure.net&client_id=${id}`,
    ['User-Agent: azsdk-python-identity/1.25 Python/3.12', 'Accept-Encoding: gzip, deflate', 'Accept: */*'],
  ],
  [
    'MSAL Python',
    `${tokenPath}?${version}&resource=${vault}&client_id=${id}`,
    ['User-Agent: python-requests/2.32.3', 'x-client-SKU: MSAL.Python', 'x-client-Ver: 1.34.0'],
  ],
  [
    'MSAL Python, by object id, as az asks',
    `${tokenPath}?${version}&resource=${vault}&object_id=${demo.objectId}`,
    [
      'User-Agent: python-requests/2.32.3',
      'Accept-Encoding: gzip, deflate',
      'Accept: */*',
      'Connection: keep-alive',
      'x-client-SKU: MSAL.Python',
    ],
  ],
  [
    'msrestazure',
    `${tokenPath}?${version}&resource=${vault}&msi_res_id=${arm}`,
    ['User-Agent: python-requests/2.31'],
  ],
  [
    'adal',
    `${tokenPath}?${version}&mi_res_id=${arm}&resource=${vault}`,
    ['User-Agent: Go/go1.20 (amd64-linux) go-autorest/adal/v1.0.0'],
  ],
  [
    'terraform, without an id',
    `${tokenPath}?${version}&resource=${vault}`,
    ['User-Agent: Go-http-client/1.1', 'Accept-Encoding: gzip'],
  ],
  [
    'terraform',
    `${tokenPath}?${version}&client_id=${id.toUpperCase()}&resource=${vault}`,
    ['X-Identity-Header: x'],
  ],
  ['curl', `${tokenPath}?resource=https://vault.azure.net`, ['User-Agent: curl/8.5.0', 'Accept: */*']],
  ['curl, with a slash', `${tokenPath}/?resource=https://vault.azure.net`, []],
];

t.test('every SDK gets its token, from the one rebuilt call', async (t) => {
  const agent = await startAgent(t);
  for (const [name, target, lines] of forms) {
    const reply = await ask(agent, asked(target, ...lines));
    t.equal(reply.status, 200, name);
    const body = jsonOf(reply);
    t.equal(
      Object.keys(body).join(),
      'access_token,refresh_token,client_id,expires_in,expires_on,ext_expires_in,not_before,resource,token_type',
    );
    t.ok(
      Object.values(body).every((value) => typeof value === 'string'),
      'strings all',
    );
    t.match(body, { client_id: id, resource: 'https://vault.azure.net', token_type: 'Bearer' });
    t.match(reply.headers, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    const calls = (await agent.upstream()).map((call) => call.target);
    t.same(calls, [`${tokenPath}?${version}&client_id=${id}&resource=${vault}`], name);
  }
});

t.test('an excepted pod gets what IMDS gives the node, asked in the SDK’s own words', async (t) => {
  const agent = await startAgent(t);
  agent.caller = 'excepted';
  for (const [name, target, lines] of forms) {
    const { status } = await ask(agent, asked(target, ...lines));
    t.equal(status, 200, name);
    const calls = (await agent.upstream()).map((call) => call.target);
    const own = target.replace('token/?', 'token?');
    t.same(calls, [target.includes(version) ? own : `${own}&${version}`], name);
  }
});

t.test('nothing of an offer of HTTP/2 goes upstream, and the connection goes on', async (t) => {
  const agent = await startAgent(t);
  const java = `GET /metadata/versions HTTP/1.1\r
Connection: Upgrade, HTTP2-Settings\r
Content-Length: 0\r
Host: 169.254.169.254\r
HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r
Upgrade: h2c\r
User-Agent: Java-http-client/17.0.17\r
Metadata: true\r
\r
`;
  for (const caller of ['bound', 'excepted'] as const) {
    agent.caller = caller;
    t.match(await ask(agent, java), { status: 200, closed: false });
    const calls = await agent.upstream();
    t.equal(calls.length, 1);
    for (const { raw } of calls) t.notMatch(raw, /upgrade|http2|h2c|content-length/i);
  }
});

t.test('keeps the resource byte for byte: a slash at the end is another audience', async (t) => {
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
