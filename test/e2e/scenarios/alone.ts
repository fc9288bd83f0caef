import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../../lab/eventually.ts';
import { agentsIn, agentsReady, restartsOf } from '../agents.ts';
import { assignmentOf, assignments, holdersOf, leaderOf, micsReady, offer } from '../assigned.ts';
import { azureIdentity } from '../bindings.ts';
import { bare, ruled } from '../nodes.ts';
import { long } from '../patience.ts';
import { run } from '../run.ts';
import { type Scenario, type Stage, standard } from '../stage.ts';
import { ask, assertToken, removePods, startPod, tokenUrl } from '../workload.ts';
import { azureReady } from './standard.ts';

/** What people run who read no further than the first command: `kubectl apply -k` and `kubectl delete -k`, each alone. */
const { home, plain } = standard;
const podid = join(import.meta.dirname, '../../../bin/podid');

async function installed(stage: Stage): Promise<void> {
  const { kubectl, nodes } = stage;
  await agentsReady(kubectl, home, { count: nodes.names.length });
  await micsReady(stage);
  await ruled(nodes, ...nodes.names);
  await eventually('a MIC leads', async () => (await leaderOf(stage)) !== undefined, long);
}

/** A pod with an identity that MIC has assigned. */
async function bound(stage: Stage, name: string): Promise<void> {
  await offer(stage, name);
  await startPod(stage.kubectl, name, { binding: name });
  assertToken(await ask(stage.kubectl, name, tokenUrl, '--tries=20'), azureIdentity(name));
}

export const applied: Scenario = {
  name: 'kubectl apply -k alone, on an empty cluster, by a kubectl that has never seen it, is the install',
  decisive: true,
  async run(stage) {
    const { kubectl } = stage;
    await azureReady(stage);
    assert.equal(await kubectl.applyUncached(plain), '');
    await installed(stage);
    const programs = await kubectl.list('pods', '-n', home, '-l', 'component in (nmi, mic)');
    assert.deepEqual(
      programs.map(restartsOf),
      programs.map(() => 0),
      'nothing has crashed',
    );
  },
};

/** Deletes while identities are in use, and waits until kubectl has nothing left to do but wait. */
async function deletedInUse(stage: Stage, pod: string): Promise<void> {
  const { kubectl, nodes } = stage;
  await bound(stage, pod);
  // The rights to end it are gone before it is done, as in Azure, where it takes 25 s.
  await stage.arm.configure({ operationMs: 10_000 });
  await assert.rejects(kubectl.deleteKustomization(plain, 20), /timed out/);
  await bare(nodes);
  assert.deepEqual(await agentsIn(kubectl, home), [], 'the agents are gone');
  const left = await assignmentOf(stage, pod);
  assert.ok(left?.metadata.deletionTimestamp, 'what MIC has written waits for it');
  await stage.arm.configure({ operationMs: 1_000 });
}

/** Of the definitions, and with them of all objects. */
async function gone({ kubectl }: Stage, which = 'aadpodidentity.k8s.io'): Promise<void> {
  const isGone = async (): Promise<boolean> =>
    !(await kubectl.show('get', 'crds', '-o', 'name')).includes(which);
  await eventually(`no definition of ${which} is left`, isGone, long);
}

export const broughtBack: Scenario = {
  name: 'kubectl delete -k alone, identities in use: applied again, MIC ends what it began, in Azure as well',
  async run(stage) {
    const { kubectl } = stage;
    await deletedInUse(stage, 'kept');
    await removePods(kubectl, 'kept');
    await kubectl.applyUncached(plain);
    await eventually('it is off the machine', async () => (await holdersOf(stage, 'kept')) === 0, long);
    await gone(stage, assignments);
    await kubectl.deleteKustomization(plain);
    await gone(stage);
    await kubectl.deleteKustomization(plain);
  },
};

export const repaired: Scenario = {
  name: 'kubectl delete -k alone, identities in use: podid repair ends it, and tells what Azure still has',
  async run(stage) {
    await stage.kubectl.applyKustomization(plain);
    await installed(stage);
    await deletedInUse(stage, 'left');
    const told = await run([podid, 'repair'], { timeoutMs: 120_000 });
    assert.match(told, /az vmss identity remove/);
    assert.ok(told.includes(azureIdentity('left').resourceId), told);
    await gone(stage);
    await removePods(stage.kubectl, 'left');
  },
};
