import t from 'tap';
import { podsOfNode } from '../../lib/kube/pods.ts';

const resource = podsOfNode('node-1');
const metadata = { uid: 'u', namespace: 'ns', name: 'web' };
const spec = { nodeName: 'node-1' };

const waiting = { state: { waiting: { reason: 'ContainerCreating' } } };
const running = { state: { running: { startedAt: '2026-01-01T00:00:00Z' } } };
const terminated = { state: { terminated: { exitCode: 0 } } };
const crashLoop = {
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 1 } },
};

t.test('asks for the pods of one node', async (t) => {
  t.match(resource, { path: '/api/v1/pods', query: { fieldSelector: 'spec.nodeName=node-1' } });
});

t.test('trims a pod', async (t) => {
  const parsed = resource.parse({
    metadata: { ...metadata, labels: { aadpodidbinding: 'web' }, managedFields: [{}] },
    spec: { ...spec, containers: [{ env: [{ name: 'SECRET', value: 'hunter2' }] }] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: '10.0.0.7' }],
      podIP: '10.0.0.7',
      containerStatuses: [running],
    },
  });
  t.same(
    { ...parsed, labels: { ...parsed?.labels } },
    {
      ...metadata,
      node: 'node-1',
      ips: ['10.0.0.7'],
      labels: { aadpodidbinding: 'web' },
      hostNetwork: false,
      phase: 'Running',
      activity: 'running',
    },
  );
});

t.test('tells addresses as sockets do', async (t) => {
  const table: [unknown, readonly string[]][] = [
    [{}, []],
    [{ podIP: '10.0.0.7' }, ['10.0.0.7']],
    [{ podIP: '10.0.0.7', podIPs: [] }, ['10.0.0.7']],
    [{ podIPs: [{ ip: '10.0.0.7' }, { ip: 'FD00:0:0::0:7' }] }, ['10.0.0.7', 'fd00::7']],
    [{ podIPs: [{ ip: '::ffff:10.0.0.7' }, { ip: '10.0.0.7' }] }, ['10.0.0.7']],
    [{ podIPs: [{ ip: '010.0.0.7' }, { ip: 'localhost' }, { ip: '' }, {}] }, []],
  ];
  for (const [status, ips] of table)
    t.same(resource.parse({ metadata, spec, status })?.ips, ips, JSON.stringify(status));
});

t.test('tells from its containers whether a pod still holds its sandbox', async (t) => {
  const pending = { phase: 'Pending' };
  const up = { phase: 'Running' };
  const table: [string, object, { deleting?: true }, string][] = [
    ['not seen by the kubelet yet', pending, {}, 'starting'],
    ['pulling its image', { ...pending, containerStatuses: [waiting] }, {}, 'starting'],
    [
      'its init container runs',
      { ...pending, initContainerStatuses: [running], containerStatuses: [waiting] },
      {},
      'running',
    ],
    [
      'its init container is done',
      { ...pending, initContainerStatuses: [terminated], containerStatuses: [waiting] },
      {},
      'running',
    ],
    ['runs', { ...up, containerStatuses: [running] }, {}, 'running'],
    ['one of two has ended', { ...up, containerStatuses: [terminated, running] }, {}, 'running'],
    ['is in a crash loop', { ...up, containerStatuses: [crashLoop] }, {}, 'running'],
    ['is between two runs', { ...up, containerStatuses: [terminated] }, {}, 'running'],
    [
      'only a debug container runs',
      { ...up, containerStatuses: [crashLoop], ephemeralContainerStatuses: [running] },
      {},
      'running',
    ],
    ['has succeeded', { phase: 'Succeeded', containerStatuses: [terminated] }, {}, 'ended'],
    ['has failed without a start', { phase: 'Failed' }, {}, 'ended'],
    ['is evicted and still runs', { phase: 'Failed', containerStatuses: [running] }, {}, 'running'],
    [
      'is being deleted and still runs',
      { ...up, containerStatuses: [running] },
      { deleting: true },
      'running',
    ],
    ['is being deleted, all ended', { ...up, containerStatuses: [terminated] }, { deleting: true }, 'ended'],
    [
      'is being deleted in its crash loop',
      { ...up, containerStatuses: [crashLoop] },
      { deleting: true },
      'ended',
    ],
    [
      'is being deleted before its start',
      { ...pending, containerStatuses: [waiting] },
      { deleting: true },
      'ended',
    ],
  ];
  for (const [what, status, { deleting }, activity] of table) {
    const deletionTimestamp = deleting ? '2026-01-01T00:00:00Z' : undefined;
    const pod = resource.parse({ metadata: { ...metadata, deletionTimestamp }, spec, status });
    t.equal(pod?.activity, activity, what);
  }
});

t.test('drops what is not a pod, and a pod with a field of a wrong type', async (t) => {
  const wrong = [
    null,
    { metadata: { ...metadata, uid: '' } },
    { metadata: { ...metadata, name: undefined } },
    { metadata: { ...metadata, namespace: undefined } },
    { metadata: { ...metadata, labels: { app: 1 } } },
    { metadata, spec: { hostNetwork: 'true' } },
    { metadata, status: { podIPs: { ip: '10.0.0.7' } } },
    { metadata, status: { podIPs: ['10.0.0.7'] } },
    { metadata, status: { containerStatuses: [{ state: 'running' }] } },
  ];
  for (const raw of wrong) t.equal(resource.parse(raw), undefined, JSON.stringify(raw));
});

t.test('takes a status from before the boot of the node for that of a pod that is gone', async (t) => {
  const bootedAt = Date.parse('2026-03-01T00:00:00Z');
  const since = podsOfNode('node-1', bootedAt);
  const ran = (startedAt: string): object => ({ state: { running: { startedAt } } });
  const ended = (finishedAt: string): object => ({ lastState: { terminated: { finishedAt } } });
  const table: [object[], string][] = [
    [[ran('2026-02-01T00:00:00Z')], 'ended'],
    [[ended('2026-02-01T00:00:00Z')], 'ended'],
    [[ran('2026-02-01T00:00:00Z'), ran('2026-03-01T00:00:10Z')], 'running'],
    [[ran('2026-02-28T23:55:00Z')], 'running'], // a step of the clock is no reboot
    [[ran('yesterday')], 'running'],
    [[], 'starting'],
  ];
  for (const [containerStatuses, activity] of table) {
    const pod = since.parse({ metadata, spec, status: { phase: 'Running', containerStatuses } });
    t.equal(pod?.activity, activity, JSON.stringify(containerStatuses));
  }
});
