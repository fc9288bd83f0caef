import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Connection } from '../../lib/kube/connection.ts';
import { readSecret, type SecretAnswer } from '../../lib/kube/secret.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import type { Json } from '../lab/kube/object.ts';
import { type KubeApi, startKubeApi } from '../lab/kube/server.ts';
import { nmiWithout } from './own-rig.ts';

type Read = (name: string, namespace?: string) => Promise<SecretAnswer>;

async function start(t: Test, rights = nmiWithout()): Promise<{ api: KubeApi; read: Read }> {
  const api = await startKubeApi({ tokens: { agent: rights } });
  t.teardown(() => api.close());
  const folder = mkdtempSync(join(tmpdir(), 'secret-test-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, api.kubeconfig('agent'));
  const source = { kind: 'kubeconfig', path } as const;
  const connection = new Connection({ source, userAgent: 'test', clock: systemClock });
  t.teardown(() => connection.close());
  const signal = new AbortController().signal;
  return { api, read: (name, namespace = 'apps') => readSecret(connection, { namespace, name }, signal) };
}

function put(api: KubeApi, name: string, data: Json | undefined): void {
  api.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'apps' }, ...(data && { data }) });
}

t.test('gives the bytes of each key', async (t) => {
  const { api, read } = await start(t);
  const bytes = Buffer.from([0, 1, 254, 255, 10]);
  put(api, 'sp', { clientSecret: 'czNjcmV0', certificate: bytes.toString('base64'), __proto__x: '' });
  const answer = await read('sp');
  t.equal(answer.kind, 'found');
  const data = answer.kind === 'found' ? answer.data : new Map<string, Buffer>();
  t.same([...data.keys()].sort(), ['__proto__x', 'certificate', 'clientSecret']);
  t.equal(data.get('clientSecret')?.toString(), 's3cret');
  t.ok(data.get('certificate')?.equals(bytes));
  put(api, 'empty', undefined);
  t.same(await read('empty'), { kind: 'found', data: new Map() });
});

t.test('tells a Secret that is not there from one that it may not read, and from silence', async (t) => {
  const { api, read } = await start(t);
  t.same(await read('none'), { kind: 'absent' });
  await api.fault({ answer: { count: 1, status: 503 } });
  t.match(await read('none'), { kind: 'silent', why: /answered 503/ });
  const without = await start(t, nmiWithout('secrets'));
  t.same(await without.read('none'), { kind: 'refused', status: 403 });
});

t.test('never asks for what a name could turn into another path', async (t) => {
  const { api, read } = await start(t);
  const names = ['', '.', '..', '../configmaps/x', 'a/b', 'a?b', 'a#b', 'a%2fb', 'A', 'a b', 'a\n'];
  for (const name of names) t.same(await read(name), { kind: 'absent' }, name);
  for (const namespace of names) t.same(await read('sp', namespace), { kind: 'absent' }, namespace);
  t.same(api.requests(), []);
});

t.test('takes an answer that is no Secret for silence, and quotes nothing of it', async (t) => {
  const { api, read } = await start(t);
  put(api, 'odd', { clientSecret: 17 });
  t.same(await read('odd'), {
    kind: 'silent',
    why: 'the API server answered with something that is not a Secret',
  });
});
