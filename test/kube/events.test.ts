import t from 'tap';
import type { KubeClient } from '../lab/kube/client.ts';
import { againstStandIn, agentWith, mayCreateEvents, missing, namespaceObject, podRef } from './event-rig.ts';

const web = podRef('web');
const minuteMs = 60_000;

t.test('tells where kubectl describe looks: by namespace, name and uid of the pod', async (t) => {
  const { admin, rig } = await againstStandIn(t);
  t.equal(await rig.outcomeOf(web), 'sent');
  const about = `involvedObject.name=web,involvedObject.namespace=apps,involvedObject.uid=${web.uid}`;
  const found = await admin.list('Event', 'apps', { fieldSelector: about });
  t.match(found, [
    {
      metadata: { name: /^web\../ },
      involvedObject: { apiVersion: 'v1', kind: 'Pod' },
      ...missing,
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00.000000Z',
      lastTimestamp: '2026-01-01T00:00:00.000000Z',
      source: { component: 'aadpodidentity.k8s.io', host: 'node-1' },
    },
  ]);
  t.equal(found.length, 1);
});

t.test('tells the same of a pod once a minute, whatever the message, and then anew', async (t) => {
  const { admin, clock, rig } = await againstStandIn(t);
  t.equal(await rig.outcomeOf(web), 'sent');
  t.equal(await rig.outcomeOf(web, { ...missing, message: 'Put in another way.' }), 'repeated');
  await clock.advance(minuteMs - 1);
  t.equal(await rig.outcomeOf(web), 'repeated');
  await clock.advance(1);
  t.equal(await rig.outcomeOf(web), 'sent');
  t.equal((await admin.list('Event', 'apps')).length, 2);
});

t.test('tells another reason, of another pod, and of a successor of the same name at once', async (t) => {
  const { rig } = await againstStandIn(t);
  t.equal(await rig.outcomeOf(web), 'sent');
  t.equal(await rig.outcomeOf(web, { ...missing, reason: 'NoIdentity' }), 'sent');
  t.equal(await rig.outcomeOf(podRef('job')), 'sent');
  t.equal(await rig.outcomeOf({ ...web, uid: 'uid-of-the-next' }), 'sent');
});

t.test('warns once of a missing right, asks again after five minutes, and then tells', async (t) => {
  const { admin, api, clock, rig } = await againstStandIn(t, agentWith());
  api.clearRequests();
  t.equal(await rig.outcomeOf(web), 'failed');
  for (let minute = 1; minute < 5; minute++) {
    await clock.advance(minuteMs);
    t.equal(await rig.outcomeOf(web), 'dropped');
  }
  t.equal(api.requests().length, 1, 'the API server is left in peace');
  await clock.advance(minuteMs);
  t.equal(await rig.outcomeOf(web), 'failed');
  t.match(rig.log.lines, [{ level: 'warn', message: /no right to create events/ }]);
  t.equal(rig.log.lines.length, 1);
  await api.fault({ tokens: agentWith(mayCreateEvents) });
  await clock.advance(5 * minuteMs);
  t.equal(await rig.outcomeOf(web), 'sent');
  t.equal((await admin.list('Event', 'apps')).length, 1);
});

t.test('a right in one namespace counts there', async (t) => {
  const { rig } = await againstStandIn(t, agentWith({ ...mayCreateEvents, namespaces: ['other'] }));
  t.equal(await rig.outcomeOf(web), 'failed');
  t.equal(await rig.outcomeOf(podRef('web', 'other')), 'sent');
  t.equal(await rig.outcomeOf(podRef('job')), 'dropped');
});

t.test('a namespace that goes silences neither others nor itself when it is back', async (t) => {
  const { admin, api, rig } = await againstStandIn(t);
  await holdDeletion(admin);
  t.equal(await rig.outcomeOf(web), 'failed', 'it is being deleted: 403');
  t.equal(await rig.outcomeOf(podRef('web', 'other')), 'sent');
  api.remove('Pod', 'apps', 'last');
  api.remove('Namespace', undefined, 'apps');
  t.equal(await rig.outcomeOf(podRef('job')), 'failed', 'it is gone: 404');
  api.put(namespaceObject('apps'));
  t.equal(await rig.outcomeOf(podRef('cron')), 'sent');
  t.same(rig.log.lines, [], 'and is no reason for a warning');
});

t.test('goes on when the API server is back', async (t) => {
  const { api, rig } = await againstStandIn(t);
  await api.fault({ away: true });
  t.equal(await rig.outcomeOf(web), 'failed');
  await api.fault({ away: false });
  t.equal(await rig.outcomeOf(podRef('job')), 'sent');
});

/** Apps stays in deletion while a pod with a finalizer is in it. */
async function holdDeletion(admin: KubeClient): Promise<void> {
  await admin.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'last', namespace: 'apps', finalizers: ['example.com/hold'] },
    spec: { containers: [{ name: 'c', image: 'none' }] },
  });
  await admin.delete('Namespace', 'apps');
}
