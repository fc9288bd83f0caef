import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { type Answer, dropAtOnce, type HostileApi, json, refuse } from './hostile-api.ts';
import { connect } from './rig.ts';

const body = { kind: 'Event', message: 'é' };
const post = { method: 'POST', body, maxBytes: 1_000 } as const;

interface Sent {
  readonly method: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

/** Answers with `then` once the request is read whole; what it was goes to `sent`. */
function reading(sent: Sent[], then: Answer): Answer {
  return async (response, call) => {
    const { method, headers } = response.req;
    sent.push({ method, type: headers['content-type'], body: await text(response.req) });
    then(response, call);
  };
}

t.test('creates what it is given, as JSON', async (t) => {
  const { api, connection } = await connect(t);
  const sent: Sent[] = [];
  api.lists.push(reading(sent, json(201, { kind: 'Event' })));
  t.same(await connection.json('/api/v1/events', post), { kind: 'Event' });
  t.same(sent, [{ method: 'POST', type: 'application/json', body: JSON.stringify(body) }]);
});

t.test('reads without a body and without a content type', async (t) => {
  const { api, connection } = await connect(t);
  const sent: Sent[] = [];
  api.lists.push(reading(sent, json(200, {})));
  await connection.json('/api', { maxBytes: 1_000 });
  t.same(sent, [{ method: 'GET', type: undefined, body: '' }]);
});

t.test('sends the whole body again when a rotated token is read at a 401', async (t) => {
  const token = (api: HostileApi, content: string) => writeFileSync(join(api.dir, 'token'), content);
  const { api, connection } = await connect(t, (api) => {
    token(api, 'old');
    return { kind: 'kubeconfig', path: api.kubeconfig({ tokenFile: 'token' }) };
  });
  const sent: Sent[] = [];
  api.lists.push(json(200, {}), reading(sent, refuse(401)), reading(sent, json(201, {})));
  await connection.json('/api', { maxBytes: 1_000 });
  token(api, 'new');
  await connection.json('/api/v1/events', post);
  t.same(
    sent.map((each) => `${each.method} ${each.body}`),
    Array(2).fill(`POST ${JSON.stringify(body)}`),
  );
  t.equal(api.calls.at(-1)?.headers.authorization, 'Bearer new');
});

t.test('never sends again what may have been done', async (t) => {
  const { api, connection } = await connect(t);
  const elsewhere: Answer = (response) =>
    void response.writeHead(307, { location: `${api.url}/elsewhere` }).end();
  const table: [string, Answer, { readonly code: string; readonly status?: number }][] = [
    ['broken off', dropAtOnce, { code: 'kube-unreachable' }],
    ['sent elsewhere', elsewhere, { code: 'kube-refused', status: 307 }],
    ['refused by an ailing server', refuse(500), { code: 'kube-refused', status: 500 }],
    ['answered with nonsense', (response) => void response.writeHead(201).end('<'), { code: 'kube-garbled' }],
  ];
  for (const [what, answer, error] of table) {
    const before = api.calls.length;
    const sent: Sent[] = [];
    api.lists.push(reading(sent, answer));
    await t.rejects(connection.json('/api/v1/events', post), error, what);
    t.equal(sent.length, 1, what);
    t.equal(api.calls.length, before + 1, what);
  }
});
