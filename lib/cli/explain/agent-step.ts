import { podKey } from '../../model/pod.ts';
import { type Agent, bestOf, versionOf } from '../agents/agent.ts';
import { installing } from '../agents/commands.ts';
import type { Facts } from './facts.ts';
import { type Step, step } from './step.ts';

/** Whether an agent on the pod's node would hear the request. */
export function agentStep(facts: Facts): Step {
  const { pod, agents, mode } = facts;
  if (pod.hostNetwork) return step('agent', 'passed', 'Not asked.');
  if (pod.node === '') return step('agent', 'passed', 'Not reached.');
  const override = ['podid explain … --operation-mode=standard|managed'];
  if (agents.pods.kind === 'untold') {
    return step('agent', 'unknown', `${agents.pods.why}; taken for ${modeWords(facts)}.`, override);
  }
  const best = bestOf(agents.pods.value.filter(({ node }) => node === pod.node));
  if (!best) return missing(facts);
  if (!best.ready) return notReady(facts, best);
  const who = `Pod ${podKey(best)} on ${pod.node} (${nameOf(best)})`;
  if (mode.doubt !== undefined)
    return step('agent', 'unknown', `${who} is ready, but ${mode.doubt}.`, override);
  return step('agent', 'ok', `${who} is ready; ${modeWords(facts)}.`);
}

function nameOf({ image, original }: Agent): string {
  const version = versionOf(image);
  return original ? `the original's NMI ${version}, which decides by rules of its own` : `version ${version}`;
}

function modeWords({ mode }: Facts): string {
  const namespaced = mode.namespaced && !mode.managed ? ', namespaced' : '';
  return `${mode.managed ? 'managed' : 'standard'} mode${namespaced} (${mode.from})`;
}

function missing({ pod, wanted, agents, mode }: Facts): Step {
  const sets = agents.sets.kind === 'told' ? agents.sets.value : [];
  const [set] = sets;
  if (!set) {
    const read = agents.sets.kind === 'told' ? 'no DaemonSet brings one' : agents.sets.why;
    const found = `No agent runs as a pod on node ${pod.node}, and ${read}: one that runs otherwise does not show here; without one, the request is answered as the node's.`;
    return step('agent', 'unknown', found, [installing(mode.managed ? 'managed' : 'standard')]);
  }
  const at = `daemonset ${set.name} -n ${set.namespace}`;
  if (wanted === false) {
    const found = `No agent is on node ${pod.node}: DaemonSet ${podKey(set)} wants none there (nodeSelector or affinity).`;
    return step('agent', 'no', found, [`kubectl edit ${at}`]);
  }
  const found = `No agent is on node ${pod.node}, though DaemonSet ${podKey(set)} is there.`;
  return step('agent', 'wait', found, [`kubectl describe ${at}`]);
}

function notReady({ warning }: Facts, { namespace, name, why }: Agent): Step {
  const said = warning === undefined ? '' : ` ${warning}`;
  const found = `Pod ${podKey({ namespace, name })} is not ready: ${why}.${said}`;
  return step('agent', 'wait', found, [
    `kubectl describe pod ${name} -n ${namespace}`,
    `kubectl logs ${name} -n ${namespace} --tail=50`,
  ]);
}
