import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeClock } from '../../fakes/clock.ts';
import { eventually } from '../eventually.ts';
import { connectKube, type KubeClient, type WatchEvent } from './client.ts';
import type { KubeInput } from './object.ts';
import { type KubeApi, type KubeApiOptions, startKubeApi } from './server.ts';

const pods = '/api/v1/namespaces/default/pods';
const pod = (name: string): KubeInput => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  status: { phase: 'Running' },
});

t.test('answers the next requests as it is told, and then as ever', async (t) => {
  const { api, kube } = await start(t);
  await api.fault({ answer: { count: 2, status: 429, retryAfterSeconds: 7, verb: 'list', plural: 'pods' } });
  t.match(await kube.request('GET', '/api/v1/nodes'), { status: 200 }, 'another resource');
  t.match(await kube.request('GET', pods), { status: 429, body: { kind: 'Status', code: 429 } });
  t.match(await kube.request('GET', pods), { status: 429 });
  t.match(await kube.request('GET', pods), { status: 200 });
  await api.fault({ answer: { count: 1, status: 200, body: '{"kind":"PodL' } });
  t.match(await kube.request('GET', pods), { status: 200, body: '{"kind":"PodL' });
  await api.fault({ answer: { count: 1, reset: true } });
  await t.rejects(kube.request('GET', pods));
  await api.fault({ answer: { count: 9 } });
  await api.fault({ clear: true });
  t.match(await kube.request('GET', pods), { status: 200 });
});

t.test('withdraws tokens, rights and kinds', async (t) => {
  const { api, kube } = await start(t, 'nmi-token');
  t.match(await kube.request('GET', '/api/v1/pods'), { status: 200 });
  t.match(
    await kube.request('GET', '/api/v1/secrets'),
    { status: 403 },
    'the agent may get secrets, not list them',
  );
  t.match(await kube.request('POST', pods, { body: pod('a') }), { status: 403 });
  await api.fault({ tokens: { 'nmi-token': { name: 'nmi', rules: [] } } });
  t.match(await kube.request('GET', '/api/v1/pods'), { status: 403 });
  await api.fault({ tokens: { 'nmi-token': null } });
  t.match(await kube.request('GET', '/api/v1/pods'), { status: 401 });
  await api.fault({ clear: true });
  t.match(await kube.request('GET', '/api/v1/pods'), { status: 200 });
  await api.fault({ hide: ['azureidentities'] });
  const identities = '/apis/aadpodidentity.k8s.io/v1/azureidentities';
  t.match(await kube.request('GET', identities, { token: 'admin-token' }), {
    status: 404,
    body: '404 page not found\n',
  });
  await api.fault({ hide: [] });
  t.match(await kube.request('GET', identities, { token: 'admin-token' }), { status: 200 });
});

t.test('forgets its history when it is compacted', async (t) => {
  const { api, kube } = await start(t);
  for (const name of ['a', 'b', 'c']) api.put(pod(name));
  const first = (await kube.request('GET', `${pods}?limit=1`)).body as { metadata: Record<string, string> };
  const { continue: token = '', resourceVersion = '' } = first.metadata;
  api.put(pod('d'));
  await api.fault({ compact: true });
  const late = await kube.request('GET', `${pods}?limit=1&continue=${token}`);
  t.match(late, { status: 410, body: { reason: 'Expired', metadata: { continue: String } } });
  const rest = (late.body as typeof first).metadata.continue;
  const answer = await kube.request('GET', `${pods}?continue=${rest}`);
  const { items } = answer.body as { items: { metadata: { name: string } }[] };
  t.strictSame(
    items.map((item) => item.metadata.name),
    ['b', 'c', 'd'],
    'the rest as it is now',
  );
  const events: WatchEvent[] = [];
  for await (const event of kube.watch('Pod', undefined, { resourceVersion })) events.push(event);
  t.match(events, [{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
});

t.test('keeps watches silent while it stalls, and then tells all', async (t) => {
  const { api, kube } = await start(t);
  const events = kube.watch('Pod', undefined, {});
  api.put(pod('a'));
  t.equal((await events.next()).value?.object.metadata.name, 'a');
  await api.fault({ stall: true });
  api.put(pod('b'));
  api.put(pod('c'));
  const next = events.next();
  const bystander = await kube.list('Pod');
  t.equal(bystander.length, 3, 'lists go on');
  t.equal(await Promise.race([next, Promise.resolve('silent')]), 'silent');
  await api.fault({ stall: false });
  t.equal((await next).value?.object.metadata.name, 'b');
  t.equal((await events.next()).value?.object.metadata.name, 'c');
  await events.return(undefined);
  await eventually('the watch is closed', () => api.counts().watches === 0);
});

t.test('cuts connections, goes away and comes back on the same port', async (t) => {
  const { api, kube } = await start(t);
  const events = kube.watch('Pod', undefined, {});
  api.put(pod('a'));
  await events.next();
  await api.fault({ drop: true });
  await t.rejects(events.next(), 'the watch is cut');
  t.match(await kube.request('GET', pods), { status: 200 });
  await api.fault({ away: true });
  t.equal(api.counts().connections, 0);
  await t.rejects(kube.request('GET', pods), { code: 'ECONNREFUSED' });
  await api.fault({ away: false });
  t.match(await kube.request('GET', pods), { status: 200 });
});

t.test('sends bookmarks by the clock and ends a watch by it', async (t) => {
  const clock = new FakeClock();
  const { api, kube } = await start(t, 'admin-token', { clock });
  const events = kube.watch('Pod', undefined, { allowWatchBookmarks: 'true', timeoutSeconds: '100' });
  const first = events.next();
  await eventually('the watch is open', () => api.counts().watches === 1);
  const { metadata } = api.put(pod('a'));
  t.match(await first, { value: { type: 'ADDED' } });
  for (const ms of [60_000, 38_000]) {
    const next = events.next();
    await clock.advance(ms);
    const mark = {
      type: 'BOOKMARK',
      object: { kind: 'Pod', metadata: { resourceVersion: metadata.resourceVersion ?? '' } },
    };
    t.match(await next, { value: mark });
  }
  const end = events.next();
  await clock.advance(2_000);
  t.equal((await end).done, true);
  t.equal(clock.waiting, 0, 'no timer is left');
});

t.test('lets tests put objects as they are, past all rules', async (t) => {
  const { api, kube } = await start(t);
  const put = api.put({
    ...pod('a'),
    metadata: { name: 'a', namespace: 'new', finalizers: ['example.com/x'] },
  });
  t.match(put, { metadata: { uid: String, creationTimestamp: String }, status: { phase: 'Running' } });
  t.ok(await kube.get('Namespace', 'new'), 'with their namespace');
  const again = api.put({
    ...pod('a'),
    metadata: { name: 'a', namespace: 'new' },
    status: { phase: 'Failed' },
  });
  t.equal(again.metadata.uid, put.metadata.uid);
  t.match(api.get('Pod', 'new', 'a'), { status: { phase: 'Failed' } });
  api.remove('Pod', 'new', 'a');
  t.equal(api.get('Pod', 'new', 'a'), undefined);
  t.throws(() => api.put({ apiVersion: 'v1', kind: 'Nonsense', metadata: { name: 'a' } }), /no such kind/);
});

t.test('logs each request with who asked and what was answered', async (t) => {
  const { api, kube } = await start(t);
  await kube.request('GET', '/api/v1/pods?limit=5');
  await kube.request('GET', '/api/v1/pods', { token: '' });
  await eventually('both are answered', () => api.requests().every((request) => request.status > 0));
  t.match(api.requests(), [
    { door: 'tls', method: 'GET', path: '/api/v1/pods?limit=5', user: 'admin', status: 200 },
    { door: 'tls', user: 'system:anonymous', status: 403 },
  ]);
  api.clearRequests();
  t.strictSame(api.requests(), []);
});

async function start(
  t: Test,
  token = 'admin-token',
  options: KubeApiOptions = {},
): Promise<{ api: KubeApi; kube: KubeClient }> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-server-'));
  const api = await startKubeApi(options);
  const file = join(folder, 'kubeconfig');
  await writeFile(file, api.kubeconfig(token));
  const kube = await connectKube({ kubeconfig: file });
  t.teardown(async () => {
    await kube.close();
    await api.close();
    await rm(folder, { recursive: true });
  });
  return { api, kube };
}
