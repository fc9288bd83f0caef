import { podKey } from '../../model/pod.ts';
import { type Agent, bestOf, versionOf } from '../agents/agent.ts';
import { byHelm, installing } from '../agents/commands.ts';
import { strangeness } from '../agents/standing.ts';
import { orNone } from '../told.ts';
import type { Facts } from './facts.ts';
import { type Step, step } from './step.ts';

/** Whether an agent on the pod's node would hear the request. */
export function agentStep(facts: Facts): Step {
  const { pod, agents, mode } = facts;
  if (pod.hostNetwork) return step('agent', 'passed', 'Not asked.');
  if (pod.node === '') return step('agent', 'passed', 'Not reached.');
  const override = [`podid explain pod/${pod.name} -n ${pod.namespace} --operation-mode=MODE`];
  if (agents.pods.kind === 'untold') {
    return step('agent', 'unknown', `${agents.pods.why}; taken for ${modeWords(facts)}.`, override);
  }
  const best = bestOf(agents.pods.value.filter(({ node }) => node === pod.node));
  if (!best) return estranged(facts, doubted(facts, missing(facts)));
  if (!best.ready) return doubted(facts, notReady(facts, best));
  const who = `Pod ${podKey(best)} on ${pod.node} (${nameOf(best)})`;
  if (mode.doubt !== undefined)
    return step('agent', 'unknown', `${who} is ready, but ${mode.doubt}.`, override);
  return step('agent', 'ok', `${who} is ready; ${modeWords(facts)}.`);
}

/** What the agent that is waited for would say, nobody knows. */
function doubted({ mode }: Facts, waits: Step): Step {
  if (waits.state !== 'wait' || mode.doubt === undefined) return waits;
  return step('agent', 'unknown', `${waits.found} Beside that, ${mode.doubt}.`, waits.mend);
}

/** Whether it is a pretender, or the agent whose rights are gone, nobody can tell from here. */
function estranged({ strangers: [first] }: Facts, { state, found, mend }: Step): Step {
  if (!first) return step('agent', state, found, mend);
  const strange = strangeness('nmi', first);
  return step('agent', 'unknown', `${found} ${strange.found}.`, [...strange.ask, ...mend]);
}

function nameOf({ image, original }: Agent): string {
  const version = versionOf(image);
  return original ? `the original's NMI ${version}, which decides by rules of its own` : `version ${version}`;
}

function modeWords({ mode }: Facts): string {
  const namespaced = mode.namespaced && !mode.managed ? ', namespaced' : '';
  return `${mode.managed ? 'managed' : 'standard'} mode${namespaced} (${mode.from})`;
}

function missing({ pod, wanting, agents, mode, strangers }: Facts): Step {
  const sets = orNone(agents.sets);
  const set = wanting?.[0] ?? sets[0];
  if (!set) {
    const read = agents.sets.kind === 'told' ? 'no DaemonSet brings one' : agents.sets.why;
    const found = `No agent runs as a pod on node ${pod.node}, and ${read}: one that runs otherwise does not show here; without one, the request is answered as the node's.`;
    // Beside strangers, the mode is a guess: they may be its agents, without their rights.
    if (strangers.length > 0) return step('agent', 'unknown', found);
    const overlay = mode.managed ? 'managed' : 'standard';
    return step('agent', 'unknown', `${found} ${byHelm}.`, [installing(overlay)]);
  }
  const at = `daemonset ${set.name} -n ${set.namespace}`;
  if (wanting?.length === 0) {
    const names = sets.map(podKey).join(', ');
    const found = `No agent is on node ${pod.node}: DaemonSet ${names} wants none there (nodeSelector or affinity).`;
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
