import assert from 'node:assert/strict';
import { fromTheDocs } from '../../daemonset/original-values.ts';
import { eventually } from '../../lab/eventually.ts';
import { assignments, holdersOf, leaderOf } from '../assigned.ts';
import { azureIdentity } from '../bindings.ts';
import { Helm } from '../helm.ts';
import { bare, ruled } from '../nodes.ts';
import { long } from '../patience.ts';
import { definitions, type Scenario, type Stage } from '../stage.ts';
import { ask, assertToken, namespace, removePods, startPod, tokenUrl } from '../workload.ts';
import { azureReady } from './standard.ts';

/** Where the documentation of the original has it installed. */
const home = 'kube-system';
const helm = new Helm(home);
const mic = 'aad-pod-identity-mic';
const kinds =
  'daemonsets,deployments,serviceaccounts,secrets,roles,rolebindings,clusterroles,clusterrolebindings,poddisruptionbudgets';
const workloads = ['daemonset/aad-pod-identity-nmi'];

/** As the original's documentation writes them, for the cluster at hand. */
function standardValues({ machines }: Stage): object {
  const { adminsecret } = fromTheDocs['a service principal of its own'] as { adminsecret: object };
  const { azureIdentities } = fromTheDocs['identities and bindings'] as {
    azureIdentities: { 'azure-identity': object };
  };
  const { clientId: clientID, resourceId: resourceID } = azureIdentity('chart');
  const [{ subscription: subscriptionID, resourceGroup } = { subscription: '', resourceGroup: '' }] =
    machines;
  // Without a service principal, the documentation says msi for both.
  const msi = { clientID: 'msi', clientSecret: 'msi', useMSI: 'true' };
  const identity = { ...azureIdentities['azure-identity'], namespace, resourceID, clientID };
  return {
    adminsecret: { ...adminsecret, cloud: 'AzureStackCloud', subscriptionID, resourceGroup, ...msi },
    azureIdentities: { 'azure-identity': identity },
    mic: { extraArgs: ['--unassign-grace=5s'] },
  };
}

/** The chart has no value for another CA than the world's: what the overlay of this test patches in, patched into the cluster. */
async function trusted({ kubectl }: Stage): Promise<void> {
  const container = {
    name: 'mic',
    env: [
      { name: 'AZURE_ENVIRONMENT_FILEPATH', value: '/etc/e2e-azure/environment.json' },
      { name: 'NODE_EXTRA_CA_CERTS', value: '/etc/e2e-azure/ca.crt' },
    ],
    volumeMounts: [{ name: 'e2e-azure', mountPath: '/etc/e2e-azure', readOnly: true }],
  };
  const volumes = [{ name: 'e2e-azure', configMap: { name: 'e2e-azure' } }];
  const spec = { template: { spec: { containers: [container], volumes } } };
  await kubectl.patch(['deployment', mic, home], { spec }, 'strategic');
}

async function rolledOut({ kubectl, nodes }: Stage, ...all: readonly string[]): Promise<void> {
  for (const each of all) await kubectl.rolledOut(each, home);
  await ruled(nodes, ...nodes.names);
}

async function uninstalled({ kubectl, nodes }: Stage): Promise<void> {
  await helm.uninstall();
  await bare(nodes);
  // Pods that have ended stay for a while as objects.
  const left = await kubectl.show(
    'get',
    kinds,
    '-A',
    '-l',
    'app.kubernetes.io/instance=aad-pod-identity',
    '-o',
    'name',
  );
  assert.equal(left.trim(), '');
}

export const standard: Scenario = {
  name: "helm install with the original's values, standard mode: a pod gets the token of an identity of the chart's",
  async run(stage) {
    const { kubectl, arm } = stage;
    await azureReady(stage, home);
    await arm.createIdentities(azureIdentity('chart'));
    await helm.install(standardValues(stage));
    await trusted(stage);
    await rolledOut(stage, ...workloads, `deployment/${mic}`);
    await eventually('a MIC leads', async () => (await leaderOf(stage)) !== undefined, long);
    await startPod(kubectl, 'charted', { binding: 'demo' });
    assertToken(await ask(kubectl, 'charted', tokenUrl, '--tries=20'), azureIdentity('chart'));
  },
};

export const upgraded: Scenario = {
  name: 'helm upgrade: agents and MIC are replaced, and the pod keeps its identity',
  async run(stage) {
    const { kubectl, arm } = stage;
    await arm.clear();
    await helm.upgrade({ ...standardValues(stage), forceNamespaced: 'true', customUserAgent: 'upgraded' });
    await rolledOut(stage, ...workloads, `deployment/${mic}`);
    const nmi = await kubectl.get('daemonset', 'aad-pod-identity-nmi', home);
    assert.match(JSON.stringify(nmi?.spec), /"--forceNamespaced"/);
    assertToken(await ask(kubectl, 'charted', tokenUrl, '--tries=20'), azureIdentity('chart'));
    const patches = (await arm.log()).filter(({ method }) => method === 'PATCH');
    assert.deepEqual(patches, [], 'Azure is asked to change nothing');
  },
};

export const removed: Scenario = {
  name: 'helm uninstall, standard mode: no rule, no object, and nothing left on the machines',
  async run(stage) {
    const { kubectl } = stage;
    await removePods(kubectl, 'charted');
    const lists = async (): Promise<number> => (await kubectl.list(assignments, '-A')).length;
    await eventually('MIC has let go', async () => (await lists()) === 0, long);
    assert.equal(await holdersOf(stage, 'chart'), 0);
    await uninstalled(stage);
    // What its notes name.
    await kubectl.delete('lease', 'aad-pod-identity-mic', '-n', 'default');
    await kubectl.delete('configmap', 'aad-pod-identity-config', '-n', home);
  },
};

export const managed: Scenario = {
  name: 'helm install with operationMode=managed: a token in a pod; helm uninstall: no rule',
  async run(stage) {
    const { kubectl, imds } = stage;
    const { azureIdentities } = standardValues(stage) as { azureIdentities: object };
    await imds.assign(azureIdentity('chart'));
    await helm.install({ ...fromTheDocs['managed mode'], azureIdentities });
    await rolledOut(stage, ...workloads);
    await startPod(kubectl, 'chart-managed', { binding: 'demo' });
    assertToken(await ask(kubectl, 'chart-managed', tokenUrl, '--tries=20'), azureIdentity('chart'));
    await removePods(kubectl, 'chart-managed');
    await uninstalled(stage);
    await kubectl.deleteKustomization(definitions);
    await imds.unassign(azureIdentity('chart').clientId);
  },
};
