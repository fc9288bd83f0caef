import t from 'tap';
import type { AnswerFault } from '../lab/kube/faults.ts';
import { micRig } from './mic-rig.ts';

const { signal } = new AbortController();
const path = '/api/v1/namespaces/default/configmaps';
const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } };
const post = { method: 'POST', path, body, lane: 'a' } as const;

t.test('asks again where that can help, and waits for what it is told', async (t) => {
  const { api, writer, clock, made } = await micRig(t);
  const table: [string, Omit<AnswerFault, 'count'>, number[]][] = [
    ['overloaded', { status: 429, retryAfterSeconds: 7 }, [7_250, 7_500]],
    ['failing', { status: 500 }, [250, 500]],
    ['away', { status: 503 }, [250, 500]],
    ['cut', { reset: true }, [250, 500]],
  ];
  for (const [what, fault, pauses] of table) {
    clock.pauses.splice(0);
    made();
    await api.fault({ answer: { ...fault, count: 2, verb: 'create' } });
    const named = { ...body, metadata: { name: what } };
    t.match(await writer.send({ ...post, body: named }, signal), { metadata: { name: what, uid: /./ } });
    t.strictSame(clock.pauses, pauses, what);
    t.equal(made().length, 3, what);
  }
});

t.test('leaves every other refusal to the caller, at once', async (t) => {
  const { api, writer, made } = await micRig(t);
  for (const status of [400, 403, 404, 409, 410, 422, 501]) {
    await api.fault({ answer: { count: 1, status, verb: 'create' } });
    await t.rejects(writer.send(post, signal), { code: 'kube-refused', status });
    t.strictSame(made(), [`POST ${status}`]);
  }
});

t.test('gives up after five attempts, and at once when it is not wanted any more', async (t) => {
  const { api, writer, clock, made } = await micRig(t);
  await api.fault({ answer: { count: 100, status: 503 } });
  await t.rejects(writer.send(post, signal), { code: 'kube-refused', status: 503 });
  t.equal(made().length, 5);
  const ending = new AbortController();
  clock.sleep = async () => ending.abort(new Error('enough'));
  await t.rejects(writer.send(post, ending.signal), { message: 'enough' });
  t.equal(made().length, 1);
  await t.rejects(writer.send(post, ending.signal), { message: 'enough' });
  t.equal(made().length, 0);
});
