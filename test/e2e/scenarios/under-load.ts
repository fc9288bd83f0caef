import assert from 'node:assert/strict';
import { eventually } from '../../lab/eventually.ts';
import type { KubeObject } from '../../lab/kube/object.ts';
import { agentOn, agentsIn, agentsReady, daemonSet, kill, uidOf } from '../agents.ts';
import { bind, unbind } from '../bindings.ts';
import { foreign, type Load, lost, startLoad } from '../load.ts';
import { ruled } from '../nodes.ts';
import { long } from '../patience.ts';
import { managed, type Scenario, type Stage } from '../stage.ts';
import { isReady } from '../workload.ts';

const { home, plain } = managed;

interface Play {
  readonly name: string;
  /** Of the pod that asks. */
  readonly pod: string;
  readonly play: (stage: Stage, node: string, load: Load) => Promise<void>;
}

/** A pod on the first node asks all the time; it gets tokens of its own identity, or none, and tokens again afterwards. */
function underLoad({ name, pod, play }: Play): Scenario {
  return {
    name: `under load ${name}; nothing passes by`,
    async run(stage) {
      const [node = ''] = stage.nodes.names;
      const [busy] = await bind(stage, 'busy');
      const load = await startLoad(stage.kubectl, pod, { binding: 'busy', node });
      await play(stage, node, load);
      await load.goesOn();
      assert.deepEqual(foreign(await load.shots(), busy?.clientId ?? ''), []);
      await load.end();
      await unbind(stage, 'busy');
    },
  };
}

export const deleted = underLoad({
  name: 'the agent pod is deleted',
  pod: 'busy-deleted',
  async play({ kubectl, nodes }, node) {
    const agent = await agentOn(kubectl, home, node);
    await kubectl.delete('pod', agent.metadata.name, '-n', home, '--wait=false');
    await agentsReady(kubectl, home, { count: nodes.names.length, gone: [uidOf(agent)] });
  },
});

export const killed = underLoad({
  name: 'the agent is killed with -9',
  pod: 'busy-killed',
  async play({ kubectl, nodes }, node) {
    await kill(kubectl, nodes, { home, node });
    await ruled(nodes, node);
  },
});

/** What a surge update does, on a server that has none: a second agent of the same template, then the end of the first. */
export const handedOver = underLoad({
  name: 'a second agent on the node takes over, and hands back, without a lost request',
  pod: 'busy-handed-over',
  async play({ kubectl, nodes }, node, load) {
    const first = await agentOn(kubectl, home, node);
    const { spec } = (await kubectl.get('daemonset', daemonSet, home)) ?? {};
    const { template } = spec as { template: { spec: object } };
    const metadata = { name: 'nmi-next', namespace: home, labels: { app: 'nmi-next' } };
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { ...template.spec, nodeName: node },
    });
    const next = (): Promise<KubeObject | undefined> => kubectl.get('pod', 'nmi-next', home);
    await eventually('the second agent is ready', async () => isReady(await next()), long);
    await load.goesOn();
    await kubectl.delete('pod', first.metadata.name, '-n', home, '--wait=false');
    await agentsReady(kubectl, home, { count: nodes.names.length, gone: [uidOf(first)] });
    await load.goesOn();
    await kubectl.delete('pod', 'nmi-next', '-n', home, '--wait=false');
    // The object goes a minute later where the kubelet has to ask twice; the process counts.
    await eventually('the second agent has left', async () => (await nodes.agents(node)).length === 1, long);
    await load.goesOn();
    assert.deepEqual(lost(await load.shots()), []);
    await ruled(nodes, node);
  },
});

export const upgraded = underLoad({
  name: 'the agents are upgraded by a rolling update',
  pod: 'busy-upgraded',
  async play({ kubectl, nodes }) {
    const gone = (await agentsIn(kubectl, home)).map(uidOf);
    await kubectl.applyKustomization(plain);
    await agentsReady(kubectl, home, { count: nodes.names.length, gone });
    await ruled(nodes, ...nodes.names);
  },
});
