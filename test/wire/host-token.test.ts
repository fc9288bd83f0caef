import t from 'tap';
import { demo, startAgent } from './agent.ts';
import { ask, jsonOf } from './client.ts';

/** As the Key Vault CSI driver and FlexVolume ask: Go's client, `localhost`, no `Metadata` header. */
function driver(query = 'resource=https://vault.azure.net'): string {
  const lines = [
    `GET /host/token/?${query} HTTP/1.1`,
    'Host: localhost:2579',
    'User-Agent: Go-http-client/1.1',
    'Podname: web',
    'Podns: apps',
    'Accept-Encoding: gzip',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

t.test('a driver on the node gets the pod’s token, also of an excepted pod', async (t) => {
  const agent = await startAgent(t);
  for (const caller of ['bound', 'excepted'] as const) {
    agent.caller = caller;
    const reply = await ask(agent, driver());
    t.match(reply, { status: 200, closed: false }, caller);
    const { token, clientid, ...more } = jsonOf(reply) as unknown as Record<string, Record<string, string>>;
    t.same(more, {});
    t.equal(clientid, demo.clientId);
    t.equal(
      Object.keys(token ?? {}).join(),
      'access_token,refresh_token,expires_in,expires_on,not_before,resource,token_type',
    );
    t.match(token, { resource: 'https://vault.azure.net', token_type: 'Bearer' });
    const calls = (await agent.upstream()).map(({ target }) => target);
    const vault = 'https%3A%2F%2Fvault.azure.net';
    t.same(calls, [
      `/metadata/identity/oauth2/token?api-version=2018-02-01&client_id=${demo.clientId}&resource=${vault}`,
    ]);
  }
});

t.test('a pod gets nothing there, whatever it sends', async (t) => {
  const agent = await startAgent(t);
  for (const caller of ['bound', 'excepted', 'unknown'] as const) {
    agent.caller = caller;
    const reply = await ask({ ...agent, from: '127.0.0.2' }, driver());
    t.match(reply, { status: 404, closed: false }, caller);
    t.match(jsonOf(reply), { error: 'not_found', error_description: 'There is nothing at this path' });
  }
  t.same(await agent.upstream(), []);
});

t.test('a driver that asks for an unknown pod or identity gets a 404 with the reason', async (t) => {
  const agent = await startAgent(t);
  const foreign = await ask(agent, driver('resource=r&client_id=foreign'));
  t.match(foreign, { status: 404 });
  t.match(jsonOf(foreign), { error_description: /^Identity not found\. / });
  agent.caller = 'unknown';
  const unknown = await ask(agent, driver());
  t.match(unknown, { status: 404 });
  t.match(jsonOf(unknown), { error_description: /podns and podname/ });
  t.same(await agent.upstream(), []);
});
