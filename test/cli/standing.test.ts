import t, { type Test } from 'tap';
import { Programs } from '../../lib/cli/agents/read.ts';
import type { Summary } from '../../lib/cli/status/summary.ts';
import { documentsIn, textOf } from '../daemonset/manifests.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { anAgentSet, granted, movedTo, tenant } from './claims.ts';
import { asked, explained } from './explaining.ts';
import { type CliRig, cliRig } from './rig.ts';
import { aMic, anAgent, anAssignment, binding, identity, put, web } from './scene.ts';

const node: KubeInput = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } };
const assigned = [node, web, binding, identity, anAssignment('Assigned')];
const toManaged = ['--operation-mode=managed'];

/** The cluster's own, where the manifests put them. */
const own = [movedTo('default', anAgent('node1')), ...granted('nmi', 'default')];
/** All that a tenant can make of an agent, on a cluster that lets him have hostNetwork. */
const fake = movedTo(tenant, anAgent('node1', toManaged));
const fakeSet = anAgentSet(tenant, { args: toManaged });

const allButRoles = {
  name: 'dev',
  rules: ['', 'apps', 'aadpodidentity.k8s.io'].map((group) => ({
    ...{ verbs: ['*'], groups: [group], resources: ['*'] },
  })),
};
const withoutRoles = { tokens: { 'admin-token': allButRoles } };

async function sceneOf(t: Test, cluster: readonly KubeInput[]): Promise<CliRig> {
  const rig = await cliRig(t);
  put(rig.api, cluster);
  return rig;
}

t.test('believes an agent whose service account may read the bindings of all namespaces', async (t) => {
  const [agent] = own as [KubeInput];
  for (const role of ['nmi', 'original'] as const)
    t.match(await explained(t, [...assigned, agent, ...granted(role, 'default', 'nmi')]), {
      status: 0,
      stdout: /✓ agent .*default\/nmi-node1/,
    });
});

t.test("believes no tenant's pod, whatever else his service account may do", async (t) => {
  const viewing = granted('view', tenant, 'nmi');
  const both = [...viewing, ...granted('nodes', tenant, 'nmi')];
  const others = [granted('harmless', tenant), granted('nmi', tenant, 'other'), viewing, both];
  for (const rights of [[], ...others]) {
    const beside = await explained(t, [...assigned, ...own, fake, fakeSet, ...rights]);
    t.match(beside, { status: 0, stdout: /✓ agent .*default\/nmi-node1 .*standard mode/ });
    const alone = await explained(t, [...assigned, fake, fakeSet, ...rights]);
    t.match(alone, { status: 1, stdout: /\? agent +No agent runs as a pod on node node1, and no DaemonSet/ });
  }
});

t.test('believes what the manifests install', async (t) => {
  const rbac = ['base/nmi-rbac.yaml', 'components/mic/mic-rbac.yaml'].flatMap((path) =>
    documentsIn(textOf(path)).filter(({ kind }) => kind.startsWith('ClusterRole')),
  );
  const account = (component: string): string => `aad-pod-id-${component}-service-account`;
  const programs = [
    movedTo('default', anAgent('node1'), account('nmi')),
    movedTo('default', aMic(), account('mic')),
  ];
  const { json } = await sceneOf(t, [...assigned, ...programs, ...(rbac as unknown as KubeInput[])]);
  t.match(await json(['status']), { nodes: [{ ready: true }], mic: [{ pod: 'default/mic-0' }] });
});

t.test('says of agents that have lost their rights that they do not count, and why', async (t) => {
  const [agent] = own as [KubeInput];
  const { podid } = await sceneOf(t, [...assigned, agent, movedTo('default', aMic(), 'mic')]);
  const strange =
    'Pod default/nmi-node1 looks like an agent (NMI) and does not count: no ClusterRoleBinding that names its ServiceAccount nmi lets it list azureidentitybindings and get nodes';
  const explain = await podid(asked);
  t.match(explain, { status: 1, stdout: strange });
  t.match(
    explain.stdout,
    'kubectl auth can-i list azureidentitybindings.aadpodidentity.k8s.io -A --as=system:serviceaccount:default:nmi\n',
  );
  t.match(explain.stdout, 'kubectl auth can-i get nodes -A --as=system:serviceaccount:default:nmi\n');
  t.notMatch(explain.stdout, 'kubectl apply', 'in which mode they ran nobody knows');
  t.match(await podid(['status']), { status: 3, stdout: `? ${strange}\n` });
  const { stdout } = await podid(['doctor']);
  t.match(stdout, `warning: ${strange}\n`);
  t.match(stdout, 'warning: Pod default/mic-0 looks like MIC and does not count');
});

t.test("status and doctor count no tenant's agents and MICs", async (t) => {
  const fakeMic = movedTo(tenant, aMic(), 'mic');
  const realMic = movedTo('default', aMic(), 'mic');
  const fakes = [fake, fakeSet, fakeMic];
  const { json } = await sceneOf(t, [...assigned, ...own, realMic, ...granted('mic', 'default'), ...fakes]);
  const { mic, nodes, mode, untold } = (await json(['status'])) as Summary;
  t.match(
    mic?.map(({ pod }) => pod),
    ['default/mic-0'],
  );
  t.match(nodes, [{ agents: [{ pod: 'default/nmi-node1' }] }]);
  t.match({ mode, untold }, { mode: { operationMode: 'standard', known: true }, untold: [] });
  const bare = await sceneOf(t, [...assigned, ...own, fakeMic]);
  t.match((await bare.podid(['doctor'])).stdout, 'standard mode, and there is no MIC');
});

t.test("a tenant's MIC holds up no repair", async (t) => {
  const gone = [binding, identity, anAssignment('Assigned')];
  const { podid } = await sceneOf(t, [...gone, movedTo(tenant, aMic(), 'mic')]);
  t.match(await podid(['repair', '--dry-run']), { status: 3, stdout: /its pod is gone +to be released/ });
});

t.test('cannot tell whose agents are whose without the right to read roles', async (t) => {
  const fault = withoutRoles;
  const [agent] = own as [KubeInput];
  t.match(await explained(t, [...assigned, agent], { fault }), { status: 0 }, 'one namespace has them all');
  const why =
    "namespaces default, evil all have what looks like agents, and which are the cluster's own could not be told: clusterroles: no right to list and watch clusterroles";
  t.match(await explained(t, [...assigned, agent, fake], { fault }), { status: 1, stdout: why });
  const { api, podid } = await sceneOf(t, [...assigned, agent, fakeSet]);
  await api.fault(fault);
  t.match(await podid(['status']), { status: 1, stdout: /disagree about --operation-mode/ });
  api.put(anAgentSet('default'));
  t.match(await podid(['status']), { status: 1, stdout: why });
});

t.test('repair does nothing while it cannot tell whether a MIC is at work', async (t) => {
  const { api, podid } = await sceneOf(t, [binding, identity, anAssignment('Assigned')]);
  put(api, [movedTo(tenant, aMic(), 'mic'), movedTo('default', aMic(), 'mic')]);
  await api.fault(withoutRoles);
  t.match(await podid(['repair']), {
    status: 1,
    stdout: '',
    stderr: /which are the cluster's own could not/,
  });
  t.ok(api.get('AzureAssignedIdentity', 'default', 'web-apps-demo'));
});

const two = [
  anAgentSet('kube-system', { name: 'nmi' }),
  anAgentSet('kube-system', { name: 'nmi-next', args: toManaged }),
];
const dispute =
  /DaemonSet kube-system\/nmi and DaemonSet kube-system\/nmi-next disagree about --operation-mode/;

t.test('knows which container of a DaemonSet is the agent', async (t) => {
  const sidecar = { name: 'sidecar', image: 'x' };
  const nmi = { name: 'nmi', image: 'mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17' };
  const { api, connection } = await cliRig(t);
  api.put(anAgentSet('kube-system', { spec: { containers: [sidecar, nmi] } }));
  api.put(anAgentSet('kube-system', { name: 'other', spec: { hostNetwork: false } }));
  const { signal } = new AbortController();
  const sets = await new Programs(connection('admin-token'), signal).agentSets();
  t.match(sets, { value: [{ namespace: 'kube-system', container: 1, hasArgs: false, original: true }] });
  t.equal(sets.kind === 'told' && sets.value.length, 1, 'without hostNetwork there are no rules');
});

t.test('where agents disagree about the mode, it believes none of them', async (t) => {
  const { podid, json } = await sceneOf(t, [...assigned, ...two]);
  const explain = await podid(asked);
  t.match(explain, { status: 1, stdout: dispute });
  t.match(explain.stdout, /\nCould not tell whether a token would be given\.\n$/);
  t.match((await podid([...asked, '--operation-mode=managed'])).stdout, /- assignment Managed mode/);
  const doctor = (await json(['doctor'])) as { readonly checks: readonly { readonly check: string }[] };
  const answers = doctor.checks.filter(({ check }) => ['mic', 'labels', 'assignments'].includes(check));
  for (const answer of answers) t.match(answer, { answer: 'unknown', untold: [dispute] });
});

t.test('status takes no mode for granted that agents disagree about', async (t) => {
  const { podid, json } = await sceneOf(t, [...assigned, anAgent('node1'), two[1] as KubeInput]);
  const { status, stdout } = await podid(['status']);
  t.equal(status, 1);
  t.match(stdout, /^\? pod kube-system\/nmi-node1 and DaemonSet .* disagree about --operation-mode$/m);
  t.match(stdout, /mode \?, taken for standard mode/);
  t.match(stdout, /^Pods: \?$/m);
  t.match(await json(['status']), { pods: null, mode: { known: false } });
  t.match(await podid(['status', '--operation-mode=standard']), { status: 0, stdout: /^Pods: 1 with/m });
});

t.test('the agent on the node of the pod is believed, whatever others are told to do', async (t) => {
  const called = await explained(t, [...assigned, anAgent('node1'), ...two]);
  t.match(called, { status: 0, stdout: /standard mode \(the flags of pod kube-system\/nmi-node1\)/ });
});

t.test('differences that decide nothing are none', async (t) => {
  const apart = anAgent('node1', [...toManaged, '--forceNamespaced']);
  const { podid } = await sceneOf(t, [node, apart, anAgentSet('kube-system', { args: toManaged })]);
  t.match(await podid(['status']), { status: 0, stdout: /managed mode/ });
});
