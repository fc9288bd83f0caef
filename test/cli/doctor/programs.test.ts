import t from 'tap';
import type { AgentSet } from '../../../lib/cli/agents/read.ts';
import type { Facts } from '../../../lib/cli/doctor/facts.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { exceptionObject, identityObject } from '../../lab/objects.ts';
import {
  agent,
  agentSet,
  examined,
  exception,
  flagged,
  found,
  identity,
  managed,
  mic,
  node,
  pod,
  says,
  told,
  untold,
} from './scene.ts';

t.test(
  'agents: finds nodes without one, those that are not ready with what they say, and none at all',
  async (t) => {
    says(t, found('agents', { agents: told() }), [/^error No agent \(NMI\) runs as a pod$/]);
    const nodes = told(node('node1'), node('node2'), node('win', 'windows'));
    says(t, found('agents', { nodes }), [/^error No agent on node2$/]);
    const pods = told(pod('web', { node: 'node2' }), pod('winapp', { node: 'win' }));
    says(t, found('agents', { nodes, pods }), [
      /on node2, where pods with identities run/,
      /no Linux: shop\/winapp/,
    ]);
    const sick = agent('node1', { ready: false, why: 'containers with unready status: [nmi]' });
    const complaints = told({
      namespace: 'kube-system',
      pod: 'nmi-node1',
      message: 'Unhealthy: the CRD is not installed',
    });
    says(t, found('agents', { agents: told(sick), complaints }), [
      /on node1 is not ready: Unhealthy: the CRD/,
    ]);
    says(t, found('agents', { agents: told(sick) }), [/not ready: containers with unready status/]);
    says(t, found('agents', { agents: told(agent('node1', { settings: 'unknown flag --nod' })) }), [
      /refused: unknown flag/,
    ]);
  },
);

t.test('mic: wants one in standard mode and none in managed mode', async (t) => {
  says(t, found('mic', { mics: told() }), [/standard mode, and there is no MIC/]);
  t.same(found('mic', { mics: told(), agents: told() }), [], 'a cluster without agents has another trouble');
  const waiting = mic({ ready: false, why: 'CrashLoopBackOff', name: 'mic-1' });
  says(t, found('mic', { mics: told(waiting) }), [/^error .*CrashLoopBackOff/]);
  says(t, found('mic', { mics: told(mic(), waiting) }), [/^warning /], 'the other one leads');
  says(t, found('mic', { mode: managed }), [/^warning The agents run in managed mode, and MIC runs too/]);
  t.same(found('mic', { mode: managed, mics: told() }), []);
});

t.test('backend, bridges: tells what the agents have seen on their nodes', async (t) => {
  const log = (name: string, ...lines: string[]) => ({ agent: agent(name), lines });
  const chosen = (backend: string): string => `{"msg":"iptables backend chosen","backend":"${backend}"}`;
  const logs = told(log('a', chosen('nft')), log('b', chosen('legacy')));
  says(t, found('backend', { logs }), [/^note .*nft on a; legacy on b/]);
  const sick = { ...log('a'), agent: agent('a', { ready: false }) };
  t.match(examined('backend', { logs: told(sick) }).untold, [/nmi-a: no line/]);
  t.same(examined('backend', { logs: told(log('a')) }).untold, [], 'its rules stand, in whichever');
  const bridged = 'WARN  pods on this bridge that have NET_RAW can take … bridge=cni0';
  says(t, found('bridges', { logs: told(log('a', bridged)) }), [/^warning Pods are on a bridge on a$/]);
  const flannel = {
    kind: 'DaemonSet',
    namespace: 'kube-flannel',
    name: 'kube-flannel-ds',
    labels: {},
    images: [],
  } as const;
  const blind = { logs: untold('no right to get pods/log'), daemonSets: told(flannel) };
  says(t, found('bridges', blind), [/Flannel puts pods on a bridge/]);
  t.same(examined('bridges', blind).untold, ['no right to get pods/log']);
  const pinned = agent('a', { settings: flagged('--pin-neighbours') });
  t.same(found('bridges', { ...blind, agents: told(pinned) }), []);
});

t.test(
  'names what was read in its commands, and else offers one for each name that it may have',
  async (t) => {
    const mends = (name: string, change: Partial<Facts>): readonly string[] =>
      examined(name, change).findings.flatMap(({ mend }) => mend);
    const agentSets = told(agentSet('aad-pod-identity-nmi', 'identity'));
    const bridged = told({ agent: agent('a'), lines: ['this node runs kubenet'] });
    t.match(
      mends('bridges', { logs: bridged, agentSets })[0],
      /^kubectl patch daemonset aad-pod-identity-nmi -n identity /,
    );
    t.match(mends('bridges', { logs: bridged }), [
      / nmi -n NAMESPACE .*]'$/,
      / aad-pod-identity-nmi -n NAMESPACE .*]'$/,
      /^kubectl label/,
    ]);
    const nodes = told(node('node1'), node('node2'));
    t.match(mends('agents', { nodes, agentSets }), [
      'kubectl describe daemonset aad-pod-identity-nmi -n identity',
    ]);
    const ofChart = mic({ namespace: 'identity', name: 'aad-pod-identity-mic-7d9f5b6c8-x2x4z' });
    t.same(mends('mic', { mode: managed, mics: told(ofChart) }), [
      'kubectl delete deployment aad-pod-identity-mic -n identity',
    ]);
    t.same(mends('mic', { mode: managed }), [
      'kubectl delete deployment mic -n kube-system',
      'kubectl delete deployment aad-pod-identity-mic -n kube-system',
    ]);
  },
);

t.test("bridges: offers the patch to our DaemonSets alone, where their agent's container is", async (t) => {
  const bridged = told({ agent: agent('a'), lines: ['this node runs kubenet'] });
  const patches = (...sets: readonly AgentSet[]): readonly string[] =>
    (examined('bridges', { logs: bridged, agentSets: told(...sets) }).findings[0]?.mend ?? []).filter(
      (line) => line.startsWith('kubectl patch daemonset'),
    );
  const original = agentSet('nmi', 'kube-system', { original: true });
  const second = agentSet('own', 'identity', { container: 1 });
  const bare = agentSet('bare', 'identity', { hasArgs: false });
  t.match(patches(original, second, bare), [
    /^kubectl patch daemonset own -n identity .*\/containers\/1\/args\/-","value":"--pin-neighbours"/,
    /^kubectl patch daemonset bare -n identity .*\/containers\/0\/args","value":\["--pin-neighbours"\]/,
  ]);
  t.same(patches(original), [], 'the original knows no such flag');
});

t.test("leftovers: asks AKS to take away its add-on, and nobody's own", async (t) => {
  const image = 'mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17';
  const labels = { 'kubernetes.azure.com/managedby': 'aks', 'addonmanager.kubernetes.io/mode': 'Reconcile' };
  const addOn = {
    kind: 'DaemonSet',
    namespace: 'kube-system',
    name: 'nmi',
    labels,
    images: [image],
  } as const;
  const exceptions = told(exception(exceptionObject('e', 'kube-system', labels)));
  const mends = (change: object): readonly string[] =>
    examined('leftovers', { daemonSets: told({ ...addOn, ...change }), exceptions }).findings.flatMap(
      ({ mend }) => mend,
    );
  t.match(mends({}), [/^az aks update .*--disable-pod-identity$/]);
  const others = [{ namespace: 'evil' }, { labels: {} }, { images: ['acme/nmi'] }];
  for (const other of others) t.notMatch(mends(other).join(), /az aks/, JSON.stringify(other));
  const tenants = told({ ...addOn, namespace: 'evil', images: ['x'] });
  t.same(found('leftovers', { daemonSets: tenants }), [], 'his labels make no AKS of a cluster');
});

t.test('network: tells of Cilium that routes past iptables', async (t) => {
  const data = { 'kube-proxy-replacement': 'true', 'enable-bpf-masquerade': 'true' };
  const sick = told(agent('node1', { ready: false }));
  says(t, found('network', { cilium: told(data), agents: sick }), [/^error Cilium replaces kube-proxy/]);
  says(t, found('network', { cilium: told(data) }), [/^note /], 'ready agents have seen packets come');
  t.same(found('network', { cilium: told({ ...data, 'enable-host-legacy-routing': 'true' }) }), []);
  t.same(found('network', { cilium: told({ 'kube-proxy-replacement': 'false' }) }), []);
  const plain = { 'kube-proxy-replacement': 'true' };
  t.same(found('network', { cilium: told(plain), agents: sick }), [], 'iptables masquerades');
  const bare = { ...plain, 'enable-ipv4-masquerade': 'false' };
  says(t, found('network', { cilium: told(bare), agents: sick }), [/^error Cilium/]);
  const antrea = {
    ...({ kind: 'DaemonSet', namespace: 'kube-system', name: 'antrea-agent' } as const),
    ...{ labels: {}, images: [] },
  };
  says(t, found('network', { daemonSets: told(antrea), agents: sick }), [/^warning .*Antrea/]);
  const tenants = told({ ...antrea, namespace: 'evil' });
  t.same(found('network', { daemonSets: tenants, agents: sick }), [], 'a name alone makes no network plugin');
});

t.test(
  "leftovers: finds the original's programs, both on a node, its roles, and AKS without its exception",
  async (t) => {
    const image = 'mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17';
    const set = {
      kind: 'DaemonSet',
      namespace: 'kube-system',
      name: 'nmi',
      labels: {},
      images: [image],
    } as const;
    says(t, found('leftovers', { daemonSets: told(set) }), [
      /^warning DaemonSet kube-system\/nmi runs the original/,
    ]);
    const addOn = { ...set, labels: { 'addonmanager.kubernetes.io/mode': 'Reconcile' } };
    t.match(examined('leftovers', { daemonSets: told(addOn) }).findings[0]?.mend, [
      /az aks update .*--disable-pod-identity/,
    ]);
    const both = told(agent('node1'), agent('node1', { name: 'nmi-old', original: true, image }));
    says(t, found('leftovers', { agents: both }), [
      /^error The original's NMI and this one run on the same nodes: node1/,
    ]);
    const role = { name: 'aad-pod-id-nmi-role', labels: {}, rights: ['get secrets', 'list pods'] };
    says(t, found('leftovers', { roles: told(role) }), [/^warning ClusterRole .*which may get secrets/]);
    const own = { ...role, labels: { 'app.kubernetes.io/name': 'pod-identity' } };
    t.same(found('leftovers', { roles: told(own) }), []);
    const aks = {
      ...set,
      name: 'omsagent',
      images: ['x'],
      labels: { 'kubernetes.azure.com/managedby': 'aks' },
    };
    says(t, found('leftovers', { daemonSets: told(aks) }), [/^warning This is AKS/]);
    const excepted = exception(
      exceptionObject('e', 'kube-system', { 'kubernetes.azure.com/managedby': 'aks' }),
    );
    t.same(found('leftovers', { daemonSets: told(aks), exceptions: told(excepted) }), []);
  },
);

t.test('leftovers: finds what az aks pod-identity made, which AKS takes away with the add-on', async (t) => {
  const made = identityObject('demo', 'shop', sampleIdentity('demo'));
  const labels = { 'addonmanager.kubernetes.io/mode': 'Reconcile', 'kubernetes.azure.com/managedby': 'aks' };
  const ofAddOn = identity({ ...made, metadata: { ...made.metadata, labels } });
  const half = { 'kubernetes.azure.com/managedby': 'aks' };
  t.ok(
    identity({ ...made, metadata: { ...made.metadata, labels: half } }).addOn,
    'one of the labels is enough',
  );
  const image = 'mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17';
  const place = { kind: 'DaemonSet', namespace: 'kube-system', name: 'nmi' } as const;
  const daemonSets = told({ ...place, labels: half, images: [image] });
  const exceptions = told(exception(exceptionObject('e', 'kube-system', half)));
  says(t, found('leftovers', { identities: told(ofAddOn), daemonSets, exceptions }), [
    /^warning DaemonSet kube-system\/nmi runs the original, .* as AKS's add-on/,
    /^warning AKS's add-on made shop\/demo$/,
  ]);
  t.same(found('leftovers', { identities: told(ofAddOn) }), [], 'anybody can put these labels on his own');
});

t.test('agents: takes one that is leaving for there as long as it is ready', async (t) => {
  t.same(found('agents', { agents: told(agent('node1', { deleting: true })) }), []);
  says(t, found('agents', { agents: told(agent('node1', { deleting: true, ready: false })) }), [/No agent/]);
});
