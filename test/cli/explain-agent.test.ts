import t from 'tap';
import type { Json, KubeInput } from '../lab/kube/object.ts';
import { asked, explained } from './explaining.ts';
import { cliRig } from './rig.ts';
import {
  anAgent,
  anAssignment,
  aPodObject,
  aWarning,
  binding,
  identity,
  managed,
  put,
  standard,
  web,
  withSpec,
} from './scene.ts';

const bound = [web, binding, identity];
const assigned = [...bound, anAssignment('Assigned')];

const notReady = { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }] };

/** The DaemonSet `nmi`, for nodes with these labels. */
function daemonSet(nodeSelector: Json = {}, args: readonly string[] = []): KubeInput {
  const labels = { component: 'nmi' };
  const spec = {
    nodeSelector,
    hostNetwork: true,
    containers: [{ name: 'nmi', image: 'pod-identity:0.1.0', args }],
  };
  return {
    ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'nmi', namespace: 'kube-system' } },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1', labels: { pool: 'a' } } };

t.test('cannot tell whether an agent that is no pod serves the node', async (t) => {
  const called = await explained(t, [...assigned]);
  t.match(called, {
    status: 1,
    stdout: /\? agent +No agent runs as a pod on node node1, and no DaemonSet brings one/,
  });
  t.match(
    called.stdout,
    / Where Helm installed it, helm upgrade .*\n +kubectl apply -k daemonset\/overlays\/standard\n/,
  );
  t.match(called.stdout, /^Could not tell whether a token would be given\.$/m);
});

t.test('an agent that is still to come is waited for, one that never comes is not', async (t) => {
  const coming = await explained(t, [...assigned, node, daemonSet({ pool: 'a' })]);
  t.match(coming, { status: 4, stdout: /… agent .* though DaemonSet kube-system\/nmi is there/ });
  const never = await explained(t, [...assigned, node, daemonSet({ pool: 'b' })]);
  t.match(never, { status: 3, stdout: /✗ agent .* wants none there \(nodeSelector or affinity\)/ });
});

t.test('an agent that is not ready is told with its reason', async (t) => {
  const { api, podid } = await cliRig(t);
  put(api, [...assigned, anAgent('node1', [], notReady)]);
  t.match(await podid(asked), {
    status: 4,
    stdout: /… agent .*nmi-node1 is not ready: ContainersNotReady\.\n/,
  });
  const ofAgent = { kind: 'Pod', namespace: 'kube-system', name: 'nmi-node1' };
  api.put(aWarning(ofAgent, { reason: 'Unhealthy', message: 'pods: no right to list and watch pods\n' }));
  const later = { reason: 'MissingClusterDNS', message: 'no DNS', lastTimestamp: '2026-01-02T00:00:00Z' };
  api.put(aWarning({ ...ofAgent, name: 'nmi-node1' }, later));
  t.match((await podid(asked)).stdout, /Unhealthy: pods: no right to list and watch pods\n/);
  const crashing = {
    ...notReady,
    containerStatuses: [{ name: 'nmi', state: { waiting: { reason: 'ImagePullBackOff' } } }],
  };
  t.match(await explained(t, [...assigned, anAgent('node1', [], crashing)]), {
    stdout: /: ImagePullBackOff\.\n/,
  });
});

t.test('of two agents on a node, the one that is ready counts', async (t) => {
  const second = anAgent('node1', [], notReady);
  const named = { ...second, metadata: { ...second.metadata, name: 'nmi-a' } };
  t.match(await explained(t, [...assigned, named, standard]), { status: 0, stdout: /✓ agent .*nmi-node1/ });
});

t.test('says that the original decides by rules of its own', async (t) => {
  const image = 'mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17';
  const original = withSpec(standard, {
    containers: [
      { name: 'nmi', image, args: ['--node=$(NODE_NAME)'], env: [{ name: 'NODE_NAME', value: 'node1' }] },
    ],
  });
  t.match(await explained(t, [...assigned, original]), { stdout: /✓ agent .*the original's NMI v1\.8\.17/ });
});

t.test('learns the mode from the agent of the node, its DaemonSet, or another node', async (t) => {
  const modeOf = async (cluster: readonly KubeInput[]): Promise<string | undefined> =>
    /(standard|managed) mode/i.exec((await explained(t, cluster)).stdout)?.[1]?.toLowerCase();
  t.equal(await modeOf([...bound, managed]), 'managed');
  t.match(await explained(t, [...bound, node, daemonSet({}, ['--operation-mode', 'managed', '--node=x'])]), {
    stdout: /- assignment Managed mode/,
  });
  t.match(await explained(t, [...bound, anAgent('node2', ['--operation-mode=managed'])]), {
    stdout: /- assignment Managed mode/,
  });
});

t.test('takes the mode that the caller says', async (t) => {
  const args = ['--operation-mode=managed'];
  const called = await explained(t, [...bound, standard], { args });
  t.match(called, { status: 0, stdout: /managed mode \(the flags of this call\)/ });
  const apart = await explained(t, [...assigned, standard], { args: ['--forceNamespaced'] });
  t.match(apart, { stdout: /standard mode, namespaced \(the flags of this call\)/ });
});

t.test('cannot tell what an agent decides whose flags it cannot read', async (t) => {
  const odd = anAgent('node1', ['--operation-mode=other']);
  const called = await explained(t, [...assigned, odd]);
  t.match(called, { status: 1, stdout: /\? agent .*--operation-mode is "other"/ });
  t.match(await explained(t, [...assigned, odd], { args: ['--operation-mode=standard'] }), { status: 0 });
});

t.test('tells what it has no right to read, and what is not installed', async (t) => {
  const rules = [
    { verbs: ['get'], groups: [''], resources: ['pods'] },
    { verbs: ['get', 'list'], groups: ['aadpodidentity.k8s.io'], resources: ['*'], namespaces: ['apps'] },
  ];
  const fault = { tokens: { 'admin-token': { name: 'dev', rules } } };
  const narrow = await explained(t, [...bound, managed], { fault, args: ['--operation-mode=managed'] });
  t.match(narrow, { status: 1, stdout: /✓ identity.*\n.*\n\? agent +pods: no right to list and watch pods/ });
  const blind = await explained(t, [...assigned, standard], { fault });
  t.match(blind, { status: 1, stdout: /\? binding +azureidentitybindings: no right to list/ });
  const bare = await explained(t, [...assigned, standard], { fault: { hide: ['azureidentitybindings'] } });
  t.match(bare, { status: 1, stdout: /\? binding +azureidentitybindings: the CRD is not installed/ });
  const away = await explained(t, [...assigned, standard], { fault: { away: true } });
  t.match(away, { status: 1, stdout: '', stderr: /^podid: .*cannot be reached|^podid: / });
});

t.test('a pod that only wears the labels of an agent is none', async (t) => {
  const container = { name: 'nmi', image: 'nmi', args: ['--operation-mode=managed'] };
  const spec = { containers: [container] };
  const pretender = aPodObject('a', 'evil', { labels: { component: 'nmi' }, spec });
  const called = await explained(t, [...assigned, pretender]);
  t.match(called, { status: 1, stdout: /\? agent +No agent runs as a pod on node node1/ });
  t.match((await explained(t, [...assigned, pretender, standard])).stdout, 'standard mode');
});
