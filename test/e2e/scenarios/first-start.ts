import assert from 'node:assert/strict';
import { eventually } from '../../lab/eventually.ts';
import { agentsIn, agentsReady, isRunning, restartsOf, uidOf } from '../agents.ts';
import { bind, unbind } from '../bindings.ts';
import { rulesOn } from '../nodes.ts';
import { long } from '../patience.ts';
import { managed, type Scenario, type Stage } from '../stage.ts';
import { ask, assertToken, removePods, startPod, tokenUrl } from '../workload.ts';

const { home, gated } = managed;

/** The agents before anything that they need: first the DaemonSet, then the API server, the rights, the CRDs. */
export const firstStart: Scenario = {
  name: 'first start without API server, rights, CRDs: guarded, mended without a restart',
  decisive: true,
  async run(stage) {
    const { kubectl, gate, nodes } = stage;
    const objects = await kubectl.render(gated);
    const some = (...kinds: readonly string[]) => objects.filter(({ kind }) => kinds.includes(kind));
    await kubectl.apply(...some('ServiceAccount', 'DaemonSet'));
    const agents = await eventually('every node has an agent that runs', () => running(stage), long);
    for (const node of nodes.names) {
      const guarded = async () => (await rulesOn(nodes, node)).some((rule) => /guard .*-j DROP/.test(rule));
      await eventually(`the guard stands on ${node}`, guarded, long);
    }
    await startPod(kubectl, 'early', { binding: 'early' });
    assert.notEqual((await ask(kubectl, 'early', tokenUrl, '--timeout=5000')).status, 200, 'no API server');

    await gate.open();
    await answered(stage, 403);
    await kubectl.apply(...some('Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'));
    await answered(stage, 404);
    assert.notEqual((await ask(kubectl, 'early', tokenUrl, '--timeout=5000')).status, 200, 'no CRDs');
    assert.deepEqual((await running(stage))?.map(uidOf), agents.map(uidOf));

    await kubectl.apply(...some('CustomResourceDefinition'));
    const mended = await agentsReady(kubectl, home, { count: nodes.names.length });
    assert.deepEqual(mended.map(uidOf), agents.map(uidOf), 'the same pods');
    assert.deepEqual(
      mended.map(restartsOf),
      agents.map(() => 0),
      'no restart',
    );
    const [early] = await bind(stage, 'early');
    assertToken(await ask(kubectl, 'early', tokenUrl, '--tries=10'), early);
    await removePods(kubectl, 'early');
    await unbind(stage, 'early');
  },
};

/** What an install over it does: nothing to what runs. */
export const finishInstall: Scenario = {
  name: 'kubectl apply -k finishes the install and leaves the agents that run alone',
  async run({ kubectl, nodes }) {
    const before = await agentsIn(kubectl, home);
    await kubectl.applyKustomization(gated);
    const after = await agentsReady(kubectl, home, { count: nodes.names.length });
    assert.deepEqual(after.map(uidOf), before.map(uidOf));
  },
};

async function running({ kubectl, nodes }: Stage) {
  const agents = await agentsIn(kubectl, home);
  return agents.length === nodes.names.length && agents.every(isRunning) ? agents : undefined;
}

/** Until the API server has answered a list of our resources so. */
async function answered({ gate }: Stage, status: number): Promise<void> {
  await eventually(
    `agents are answered ${status}`,
    async () =>
      (await gate.uses()).some((use) => use.group === 'aadpodidentity.k8s.io' && use.status === status),
    long,
  );
}
