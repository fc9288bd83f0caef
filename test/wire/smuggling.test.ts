import t from 'tap';
import { sampleIdentity } from '../lab/imds/token.ts';
import type { RequestRecord } from '../lab/imds/types.ts';
import { type Agent, type CallerKind, demo, startAgent } from './agent.ts';
import { ask, asked, request, talk } from './client.ts';

const tokenTarget = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r';
const versions = '/metadata/versions';
const events = '/metadata/scheduledevents?api-version=2020-07-01';
/** What an attacker wants IMDS to get: a token of an identity of this node that no pod here is bound to. */
const hidden = asked(`${tokenTarget}&client_id=${sampleIdentity('other').clientId}`);
const size = String(hidden.length);
const hex = hidden.length.toString(16);
const chunked = `${hex}\r\n${hidden}\r\n0\r\n\r\n`;

/** Honest framings of a body: header lines, then the bytes. Only an excepted pod's POST may have one. */
const honest: [string, string[], string][] = [
  ['Content-Length', [`Content-Length: ${size}`], hidden],
  ['chunked', ['Transfer-Encoding: chunked'], chunked],
  ['chunk extensions', ['Transfer-Encoding: chunked'], `${hex};a="b";c\r\n${hidden}\r\n0;d\r\n\r\n`],
  ['trailers', ['Transfer-Encoding: chunked', 'Trailer: X'], `${hex}\r\n${hidden}\r\n0\r\nX: y\r\n\r\n`],
];
/** Framings that two servers could read in two ways, or that none can. */
const ambiguous: [string, string[], string][] = [
  ['both, length first', ['Content-Length: 0', 'Transfer-Encoding: chunked'], chunked],
  ['both, length last', ['Transfer-Encoding: chunked', `Content-Length: ${chunked.length}`], chunked],
  ['two lengths', ['Content-Length: 0', `Content-Length: ${size}`], hidden],
  ['a list of lengths', [`Content-Length: 0, ${size}`], hidden],
  ['a signed length', [`Content-Length: +${size}`], hidden],
  ['a negative length', ['Content-Length: -1'], hidden],
  ['a length in hex', [`Content-Length: 0x${hex}`], hidden],
  ['an endless length', ['Content-Length: 99999999999999999999'], hidden],
  ['an empty length', ['Content-Length:'], hidden],
  ['an unknown coding', ['Transfer-Encoding: xchunked'], chunked],
  ['identity', ['Transfer-Encoding: identity'], chunked],
  ['chunked not last', ['Transfer-Encoding: chunked, identity'], chunked],
  ['chunked behind a vertical tab', ['Transfer-Encoding: \x0bchunked'], chunked],
  ['a blank before the colon', ['Transfer-Encoding : chunked'], chunked],
  ['a folded coding', ['Transfer-Encoding:', ' chunked'], chunked],
  ['a chunk size that is no number', ['Transfer-Encoding: chunked'], `zz\r\n${hidden}`],
  ['a chunk size in two parts', ['Transfer-Encoding: chunked'], `0 ${hex}\r\n${hidden}\r\n0\r\n\r\n`],
  ['an overflowing chunk size', ['Transfer-Encoding: chunked'], `${'f'.repeat(17)}\r\n${hidden}`],
  ['a chunk longer than its size', ['Transfer-Encoding: chunked'], `1\r\n${hidden}\r\n0\r\n\r\n`],
  [
    'a length among the trailers',
    ['Transfer-Encoding: chunked'],
    `${hex}\r\n${hidden}\r\n0\r\nContent-Length: 9\r\n\r\n`,
  ],
  ['bare line feeds between chunks', ['Transfer-Encoding: chunked'], chunked.replaceAll('\r', '')],
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'LOCK'];
const targets = [
  versions,
  events,
  tokenTarget,
  '/metadata/identity/info',
  '/metadata/identity/issuecredential?cred-api-version=2.0',
];
const callers = ['bound', 'excepted', 'unknown'] as const;

function summary({ method, target, bodyBytes }: RequestRecord): string {
  return `${method} ${target} ${bodyBytes}`;
}

/** Sends each combination and tells of those that were not refused with their connection closed. */
async function unrefused(agent: Agent, method: string, framings: typeof honest): Promise<string[]> {
  const odd: string[] = [];
  for (const [name, lines, bytes] of framings) {
    for (const target of targets) {
      const { replies, closed } = await talk(
        agent,
        request(method, target, 'Metadata: true', ...lines) + bytes,
      );
      const [first] = replies;
      const refused =
        replies.length === 1 && first !== undefined && [400, 404].includes(first.status) && closed;
      if (!refused) odd.push(`${name} ${method} ${target} ${replies.map(({ status }) => status)} ${closed}`);
    }
  }
  return odd;
}

t.test('nothing in a body reaches IMDS, whatever the method and the framing', async (t) => {
  const agent = await startAgent(t);
  for (const caller of callers) {
    agent.caller = caller;
    for (const method of methods) {
      const framings = caller === 'excepted' && method === 'POST' ? ambiguous : [...honest, ...ambiguous];
      t.same(await unrefused(agent, method, framings), [], `${method} of ${caller}`);
      t.same((await agent.upstream()).map(summary), [], `${method} of ${caller}: nothing upstream`);
    }
  }
});

t.test('an excepted pod’s POST reaches IMDS once, its body as a body', async (t) => {
  const agent = await startAgent(t);
  agent.caller = 'excepted';
  for (const [name, lines, bytes] of honest) {
    for (const target of targets) {
      const { replies, closed } = await talk(
        agent,
        request('POST', target, 'Metadata: true', ...lines) + bytes,
      );
      t.equal(replies.length, 1);
      t.notOk(closed);
      const [call, ...more] = await agent.upstream();
      t.same(more, []);
      t.equal(call && summary(call), `POST ${target} ${size}`, name);
      t.match(call?.raw, new RegExp(`\r\ncontent-length: ${size}\r\n`));
      t.notMatch(call?.raw.split('\r\n\r\n')[0], /transfer-encoding|trailer/i);
    }
  }
});

t.test('an excepted pod’s body of more than 64 kB is refused, and what follows it is not read', async (t) => {
  const agent = await startAgent(t);
  agent.caller = 'excepted';
  const big = hidden.padEnd(80_000, 'x');
  const chunk = `10000\r\n${big.slice(0, 65_536)}\r\n`;
  const cases: [string, string, string][] = [
    ['by its length', `Content-Length: ${big.length}`, big],
    ['an endless one', 'Content-Length: 100000000000', big],
    ['in chunks', 'Transfer-Encoding: chunked', `${chunk}${chunk}0\r\n\r\n`],
    ['in endless chunks', 'Transfer-Encoding: chunked', `${chunk}${chunk}`],
  ];
  for (const [name, line, bytes] of cases) {
    const reply = await ask(agent, request('POST', events, 'Metadata: true', line) + bytes);
    t.match(reply, { status: 413, closed: true }, name);
    t.same(await agent.upstream(), []);
  }
});

t.test('a request behind one without a body is a request of its own, and judged as such', async (t) => {
  const agent = await startAgent(t);
  const first = request('GET', versions, 'Metadata: true', 'Content-Length: 0');
  const cases: [CallerKind, string, number[], string[]][] = [
    ['bound', hidden, [200, 400], [`GET ${versions} 0`]],
    ['unknown', hidden, [404, 404], []],
    ['excepted', hidden, [200, 200], [`GET ${versions} 0`, `GET ${/GET (\S+)/.exec(hidden)?.[1]} 0`]],
    ['bound', asked(versions), [200, 200], [`GET ${versions} 0`, `GET ${versions} 0`]],
  ];
  for (const [caller, second, statuses, upstream] of cases) {
    agent.caller = caller;
    const { replies, closed } = await talk(agent, first + second, { expected: 2 });
    t.same(
      replies.map(({ status }) => status),
      statuses,
      caller,
    );
    t.notOk(closed);
    t.same((await agent.upstream()).map(summary), upstream);
  }
});

t.test('pipelined token requests are answered in order from one call', async (t) => {
  const agent = await startAgent(t);
  const { replies } = await talk(agent, asked(tokenTarget).repeat(5), { expected: 5 });
  const tokens = replies.map(({ body }) => (JSON.parse(body) as Record<string, string>).access_token);
  t.equal(new Set(tokens).size, 1);
  const calls = await agent.upstream();
  t.same(
    calls.map(({ target }) => target),
    [`/metadata/identity/oauth2/token?api-version=2018-02-01&client_id=${demo.clientId}&resource=r`],
  );
});

t.test('nothing behind a request that ends its connection is carried out', async (t) => {
  const agent = await startAgent(t);
  const endings = [
    request('GET', versions, 'Metadata: true', 'Content-Length: 5').concat('hello'),
    request('GET', versions, 'Metadata: true', 'Transfer-Encoding: chunked').concat('0\r\n\r\n'),
    asked('/metadata//identity'),
    request('CONNECT', '169.254.169.254:80', 'Metadata: true'),
    asked(versions, 'Expect: 100-continue'),
    asked(versions, 'Expect: nonsense'),
    asked(versions, 'Connection: Upgrade', 'Upgrade: h2c, websocket'),
    asked(
      versions,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: x',
      'Sec-WebSocket-Version: 13',
    ),
    asked(versions, 'Upgrade: TLS/1.2'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `GET ${versions} HTTP/1.1\r\n\r\n`,
    'hello\r\n\r\n',
  ];
  for (const caller of callers) {
    agent.caller = caller;
    for (const bytes of endings) {
      const reply = await ask(agent, bytes + asked(versions) + hidden);
      t.match(
        reply,
        { status: /^40[05]$/, headers: { 'content-type': /^application\/json/ }, closed: true },
        JSON.stringify(bytes.slice(0, 60)),
      );
    }
    t.same(await agent.upstream(), [], caller);
  }
});

t.test('a client that says close gets one answer', async (t) => {
  const agent = await startAgent(t);
  const reply = await ask(agent, asked(versions, 'Connection: close') + asked(versions));
  t.match(reply, { status: 200, closed: true });
  t.same((await agent.upstream()).map(summary), [`GET ${versions} 0`]);
});
