import t from 'tap';
import { demo, startAgent } from './agent.ts';
import { ask, asked, jsonOf } from './client.ts';
import { forms, tokenPath, vault, version } from './forms.ts';

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
    t.match(body, { client_id: demo.clientId, resource: 'https://vault.azure.net', token_type: 'Bearer' });
    t.match(reply.headers, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    const calls = (await agent.upstream()).map((call) => call.target);
    t.same(calls, [`${tokenPath}?${version}&client_id=${demo.clientId}&resource=${vault}`], name);
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
