import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { eventually } from '../../lab/eventually.ts';
import type { KubeInput, KubeObject } from '../../lab/kube/object.ts';
import { identityObject } from '../../lab/objects.ts';
import { agentsReady, type Home, uidOf } from '../agents.ts';
import { assignmentOf, assignments, holdersOf, leaderOf, micsReady, offer, statusOf } from '../assigned.ts';
import { azureIdentity } from '../bindings.ts';
import { ruled } from '../nodes.ts';
import { long } from '../patience.ts';
import { definitions, type Scenario, type Stage, standard } from '../stage.ts';
import { ask, assertToken, namespace, removePods, startPod, tokenUrl } from '../workload.ts';

const { home } = standard;

/** What the user makes first: how MIC comes into Azure. */
function azureObjects({ arm, machines }: Stage, namespace: Home): KubeInput[] {
  const [machine] = machines;
  const stringData = {
    Cloud: 'AzureStackCloud',
    SubscriptionID: machine?.subscription,
    ResourceGroup: machine?.resourceGroup,
    UseMSI: 'true',
    UserAssignedMSIClientID: '',
  };
  const data = {
    'ca.crt': readFileSync(arm.caFile, 'utf8'),
    'environment.json': readFileSync(arm.environmentFile, 'utf8'),
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'aadpodidentity-admin-secret', namespace },
      stringData,
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'e2e-azure', namespace }, data },
  ];
}

/** What is there before the install: the machines in Azure, and MIC's way to it. */
export async function azureReady(stage: Stage, namespace: Home = home): Promise<void> {
  const { kubectl, machines, arm } = stage;
  await arm.addMachines(...machines);
  await arm.configure({ operationMs: 1_000, retryAfter: '1' });
  await kubectl.apply(...azureObjects(stage, namespace));
}

export const install: Scenario = {
  name: 'the CRDs, then kubectl apply -k, on an empty cluster: agents and MIC are ready, one MIC leads',
  decisive: true,
  async run(stage) {
    const { kubectl, nodes, gate } = stage;
    await gate.clear();
    await gate.open();
    await azureReady(stage);
    await kubectl.applyDefinitions(definitions);
    await kubectl.applyKustomization(standard.gated);
    await agentsReady(kubectl, home, { count: nodes.names.length });
    await micsReady(stage);
    await ruled(nodes, ...nodes.names);
    await eventually('a MIC leads', async () => (await leaderOf(stage)) !== undefined, long);
  },
};

export const assigned: Scenario = {
  name: 'in standard mode a pod waits until MIC has assigned its identity, and gets its token',
  async run(stage) {
    const { kubectl, arm } = stage;
    await offer(stage, 'shop');
    await startPod(kubectl, 'shop', { binding: 'shop' });
    assertToken(await ask(kubectl, 'shop', tokenUrl, '--tries=20'), azureIdentity('shop'));
    await eventually(
      'its assignment says so',
      async () => statusOf(await assignmentOf(stage, 'shop')) === 'Assigned',
      long,
    );
    assert.equal(await holdersOf(stage, 'shop'), 1, 'one machine has it');
    assert.ok((await arm.log()).some(({ method, status }) => method === 'PATCH' && status === 200));
  },
};

export const refused: Scenario = {
  name: 'in standard mode a pod that nothing binds gets no token, and an event that says why',
  async run({ kubectl }) {
    await startPod(kubectl, 'unbound');
    const { status, body } = await ask(kubectl, 'unbound');
    assert.equal(status, 400);
    const isAbout = ({ involvedObject, message }: KubeObject): boolean =>
      (involvedObject as { name?: string }).name === 'unbound' &&
      String(body.error_description).endsWith(`not found. ${message}`);
    const told = async (): Promise<boolean> => (await kubectl.list('events', '-n', namespace)).some(isAbout);
    await eventually('the event is there', told, long);
    await removePods(kubectl, 'unbound');
  },
};

export const edited: Scenario = {
  name: 'an AzureIdentity is pointed at another identity: the pod gets the new one',
  async run(stage) {
    const { kubectl, arm } = stage;
    await arm.createIdentities(azureIdentity('shop-2'));
    await kubectl.apply(identityObject('shop', namespace, azureIdentity('shop-2')));
    const renewed = async (): Promise<boolean> => {
      const { client } = await ask(kubectl, 'shop', tokenUrl);
      return client === azureIdentity('shop-2').clientId;
    };
    await eventually('the pod gets the new one', renewed, long);
    await eventually(
      'the old one is off the machine',
      async () => (await holdersOf(stage, 'shop')) === 0,
      long,
    );
  },
};

export const lostAssignment: Scenario = {
  name: 'an assignment is deleted by hand: MIC lets it go, and makes it anew',
  async run(stage) {
    const { kubectl } = stage;
    const before = await assignmentOf(stage, 'shop');
    await kubectl.delete(assignments, before?.metadata.name ?? '', '-n', before?.metadata.namespace ?? '');
    await eventually(
      'there is a new one',
      async () => {
        const now = await assignmentOf(stage, 'shop');
        return now && uidOf(now) !== uidOf(before as KubeObject) && statusOf(now) === 'Assigned';
      },
      long,
    );
    assert.equal((await ask(kubectl, 'shop', tokenUrl, '--tries=20')).status, 200);
  },
};

export const leaderDeleted: Scenario = {
  name: 'the MIC that leads is deleted: the other one takes over and assigns',
  async run(stage) {
    const { kubectl } = stage;
    const leader = (await leaderOf(stage)) ?? '';
    await kubectl.delete('pod', leader, '-n', home, '--wait=false');
    await offer(stage, 'late');
    await startPod(kubectl, 'late', { binding: 'late' });
    assertToken(await ask(kubectl, 'late', tokenUrl, '--tries=20'), azureIdentity('late'));
    assert.notEqual(await leaderOf(stage), leader);
    await micsReady(stage);
  },
};

export const unassigned: Scenario = {
  name: 'its last pod goes: the identity is taken off the machine, and its assignment goes',
  async run(stage) {
    await removePods(stage.kubectl, 'late');
    await eventually(
      'the identity is off the machine',
      async () => (await holdersOf(stage, 'late')) === 0,
      long,
    );
    await eventually('its assignment is gone', async () => !(await assignmentOf(stage, 'late')), long);
    const other = await ask(stage.kubectl, 'shop');
    assert.equal(other.status, 200, 'the other pod keeps its identity');
  },
};
