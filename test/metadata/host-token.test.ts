import t from 'tap';
import type { Pod } from '../../lib/model/pod.ts';
import {
  type Asked,
  allow,
  deny,
  handle,
  identity,
  isPod,
  pass,
  pod,
  tokenUrl,
  type World,
  wait,
} from './handling.ts';

const url = '/host/token?resource=r';
const names = { podns: 'apps', podname: 'web' };
const driver: Asked = { from: '127.0.0.1', headers: names };

t.test('gives a driver on this node the token of the pod that it names', async (t) => {
  for (const from of ['127.0.0.1', '::ffff:127.0.0.1', '::1']) {
    for (const path of ['/host/token', '/host/token/']) {
      const { answer, stages, trace } = await handle(`${path}?resource=r`, { ...driver, from });
      t.match(answer, { code: 'token', status: 200 });
      t.same(stages, ['podNamed apps/web', 'decideForHost', 'token'], 'without exceptions');
      t.match(trace, { route: 'host', pod, identity, resource: 'r' });
    }
  }
});

t.test('writes the body byte for byte as the drivers decode it', async (t) => {
  const { answer } = await handle('/host/token?resource=https://vault.azure.net', driver);
  t.equal(
    answer.body,
    '{"token":{"access_token":"a","refresh_token":"","expires_in":"1000","expires_on":"2000000000",' +
      '"not_before":"0","resource":"https://vault.azure.net","token_type":"Bearer"},"clientid":"client-1"}',
  );
  t.match(answer.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
});

t.test('does not exist for anybody else, nor where it is off', async (t) => {
  const headers = { ...names, metadata: 'true' };
  for (const from of ['10.0.0.5', '::ffff:10.0.0.5', '127.0.0.2', '::2', 'fd00::5']) {
    const { answer, stages } = await handle(url, { from, headers });
    t.match(answer, { code: 'path-unknown', status: 404, close: false }, from);
    t.same(stages, []);
  }
  const off = await handle(url, driver, { options: { hostToken: false } });
  t.match(off.answer, { code: 'path-unknown', status: 404 });
  const withBody = { from: '10.0.0.5', headers: { ...names, 'content-length': '3' } };
  t.match((await handle(url, withBody)).answer, { code: 'path-unknown', close: true });
});

t.test('checks body, method, names and query in this order, before any look-up', async (t) => {
  const cases: [string, string, Asked, string, number][] = [
    ['a body', url, { ...driver, method: 'POST', headers: { 'content-length': '1' } }, 'body-refused', 400],
    ['Upgrade', url, { ...driver, headers: { ...names, upgrade: 'websocket' } }, 'body-refused', 400],
    ['a POST', url, { ...driver, method: 'POST' }, 'method-refused', 405],
    ['a HEAD', url, { ...driver, method: 'HEAD', headers: {} }, 'method-refused', 405],
    ['no names', '/host/token', { ...driver, headers: {} }, 'host-headers-missing', 400],
    ['no podname', url, { ...driver, headers: { podns: 'apps' } }, 'host-headers-missing', 400],
    ['an empty podns', url, { ...driver, headers: { ...names, podns: '' } }, 'host-headers-missing', 400],
    ['no resource', '/host/token', driver, 'resource-missing', 400],
    ['two ids', `${url}&client_id=a&object_id=b`, driver, 'two-identities', 400],
  ];
  for (const [name, target, asked, code, status] of cases) {
    const { answer, stages } = await handle(target, asked);
    t.match(answer, { code, status, close: code === 'body-refused' }, name);
    t.same(stages, [], name);
  }
});

t.test('answers every refusal with 404 and never with Retry-After, as the drivers know it', async (t) => {
  const other: Pod = { ...pod, uid: '2' };
  const options = { setRetryAfterHeader: true };
  const cases: [World, string][] = [
    [{ decision: deny, options }, 'no-label'],
    [{ decision: wait, options }, 'not-assigned'],
    [{ caller: { kind: 'unknown' } }, 'pod-unknown'],
    [{ caller: { kind: 'not-synced' } }, 'not-synced'],
    [{ caller: [isPod, { kind: 'pod', pod: other }], decision: [wait, allow] }, 'pod-unknown'],
  ];
  for (const [world, code] of cases) {
    const { answer, stages } = await handle(url, driver, world);
    t.match(answer, { code, status: 404 }, code);
    t.notOk('retry-after' in answer.headers, code);
    t.notOk(stages.includes('token'), code);
  }
  const { trace } = await handle(url, driver, { decision: deny });
  t.match(trace, { refusal: 'no-label', explanation: 'Because.' });
});

t.test('waits for what is on its way, as for the pod itself', async (t) => {
  const { answer, stages } = await handle(url, driver, { decision: [wait, allow] });
  t.equal(answer.status, 200);
  t.same(stages, [
    'podNamed apps/web',
    'decideForHost',
    'hold web 8000',
    'podNamed apps/web',
    'decideForHost',
    'token',
  ]);
});

t.test('an excepted pod is no exception here, and its own path is', async (t) => {
  const { stages } = await handle(tokenUrl, { from: '127.0.0.1' }, { decision: pass });
  t.same(stages, ['callerOf 127.0.0.1', 'decide', 'explain', 'passThrough']);
  await t.rejects(
    handle(url, driver, { decision: pass }),
    /not for the host/,
    'the fake holds the handler to it',
  );
});
