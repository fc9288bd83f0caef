import t from 'tap';
import { type Agent, startAgent } from './agent.ts';
import { ask, asked, request, talk } from './client.ts';

const versions = '/metadata/versions';
const tokenTarget = '/metadata/identity/oauth2/token?resource=r';
const events = '/metadata/scheduledevents?api-version=2020-07-01';

/** The header lines of the one request that reached IMDS, in letter order. */
async function lines(agent: Agent): Promise<string[]> {
  const [call, ...more] = await agent.upstream();
  if (!call || more.length > 0) throw new Error(`${more.length + (call ? 1 : 0)} requests reached IMDS`);
  return call.raw.split('\r\n').slice(1, -2).sort();
}

t.test('X-Forwarded-For is seen in every spelling, also behind any number of headers', async (t) => {
  const agent = await startAgent(t);
  const filler = (count: number): string[] => Array.from({ length: count }, () => 'a: b');
  for (const target of [versions, tokenTarget, '/metadata/identity/info']) {
    for (const line of ['X-Forwarded-For: 10.0.0.9', 'x-forwarded-for:', 'X-FORWARDED-FOR: a, b']) {
      const reply = await ask(agent, asked(target, line));
      t.match(reply, { status: 400, body: /X-Forwarded-For/ }, `${target} ${line}`);
    }
    for (const count of [900, 997, 998, 999, 1000, 1001, 1999, 2500]) {
      const reply = await ask(agent, asked(target, ...filler(count), 'X-Forwarded-For: 10.0.0.9'));
      t.match(String(reply.status), /^4(00|31)$/, `${target} behind ${count}`);
    }
  }
  t.same(await agent.upstream(), []);
});

t.test('a hidden Transfer-Encoding is no way around the rule on bodies', async (t) => {
  const agent = await startAgent(t);
  for (const count of [990, 998, 1000, 2000]) {
    const filler = Array.from({ length: count }, () => 'a: b');
    const { replies, closed } = await talk(
      agent,
      `${asked(versions, ...filler, 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    );
    t.match(String(replies[0]?.status), /^4(00|31)$/, String(count));
    t.ok(closed);
  }
  t.same(await agent.upstream(), []);
});

t.test('IMDS gets our Host and the Metadata header, whatever the client says of them', async (t) => {
  const agent = await startAgent(t);
  const wanted = ['Connection: keep-alive', `host: 127.0.0.1:${agent.imds.port}`, 'metadata: true'];
  const tricks = [
    ['Host: evil.example'],
    ['Connection: metadata, host'],
    ['Connection: keep-alive, x-a', 'X-A: b', 'Keep-Alive: timeout=1'],
    ['Proxy-Connection: close', 'TE: trailers', 'Via: 1.1 x', 'Forwarded: for=x', 'X-Real-IP: 1.2.3.4'],
    [
      'Cookie: a=b',
      'Authorization: Bearer x',
      'Accept-Encoding: gzip',
      'Range: bytes=0-0',
      'If-None-Match: *',
    ],
    [
      'X-HTTP-Method-Override: POST',
      'X-Original-URL: /metadata/identity',
      'X-Rewrite-URL: /metadata/identity',
    ],
    ['X-Identity-Header: x', 'Secret: x', 'X-IDENTITY-HEADER: y'],
  ];
  for (const trick of tricks) {
    t.equal((await ask(agent, asked(versions, ...trick))).status, 200, trick.join());
    t.same(await lines(agent), wanted, trick.join());
  }
});

t.test('the Metadata header is asked for once and exactly', async (t) => {
  const agent = await startAgent(t);
  const wrong = [
    [],
    ['Metadata: True'],
    ['Metadata: true', 'Metadata: true'],
    ['Metadata: false', 'Metadata: true'],
    ['Metadata:'],
    ['X-Metadata: true'],
  ];
  for (const target of [versions, tokenTarget, events]) {
    for (const metadata of wrong) {
      const reply = await ask(agent, request('GET', target, ...metadata));
      t.match(reply, { status: 400, body: /"Required metadata header not specified"/ }, metadata.join());
    }
  }
  t.same(await agent.upstream(), []);
  t.equal((await ask(agent, request('GET', versions, 'METADATA:   true  '))).status, 200);
});

t.test('without the checks IMDS judges by itself, and X-Forwarded-For stays here', async (t) => {
  const agent = await startAgent(t, { metadataHeaderRequired: false, rejectForwardedFor: false });
  t.match(await ask(agent, request('GET', versions)), { status: 400, headers: { server: /IMDS/ } });
  t.notOk((await lines(agent)).some((line) => /metadata/i.test(line)));
  t.equal((await ask(agent, asked(versions, 'X-Forwarded-For: 10.0.0.9'))).status, 200);
  t.notOk((await lines(agent)).some((line) => /forwarded/i.test(line)));
});
