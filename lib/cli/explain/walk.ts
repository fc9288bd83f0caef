import { bindingLabel } from '../../model/binding.ts';
import type { Decision, DenyReason, WaitReason } from '../../model/decision.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { explain } from '../../policy/explain.ts';
import { bestOf } from '../agents/agent.ts';
import { byHelm } from '../agents/commands.ts';
import { agentStep } from './agent-step.ts';
import { assignmentStep } from './assignment-step.ts';
import { type Facts, isModeKnown, selecting } from './facts.ts';
import { identityStep } from './identity-step.ts';
import { mendDenial, mendWait } from './mend.ts';
import { type Step, type StepName, step } from './step.ts';

/** Where on its way a request meets each refusal. */
export const stoppedAt: Readonly<Record<DenyReason['code'] | WaitReason['code'], StepName>> = {
  'no-label': 'label',
  'no-binding': 'binding',
  'binding-missing': 'binding',
  'not-bound': 'identity',
  'other-namespace': 'identity',
  'no-client-id': 'identity',
  'identity-missing': 'identity',
  'assignment-missing': 'assignment',
  'not-assigned': 'assignment',
};

/** The decision's part of the way. */
const judged = ['label', 'binding', 'identity', 'assignment'] as const;

/** The way of the request, step by step. Pure. */
export function walk(facts: Facts): readonly Step[] {
  return [podStep(facts), ...policySteps(facts), agentStep(facts), tokenStep(facts)];
}

function podStep({ pod }: Facts): Step {
  const who = `Pod ${podKey(pod)}`;
  if (pod.hostNetwork) {
    const found = `${who} shares the network of its node: the agent never sees its requests, no binding applies, and the metadata service answers it as the node.`;
    return step('pod', 'unknown', found, [
      'spec.hostNetwork: false in the pod template, to have it use a binding',
    ]);
  }
  if (pod.node === '') {
    const mend = [`kubectl describe pod ${pod.name} -n ${pod.namespace}`];
    return step('pod', 'wait', `${who} has no node yet.`, mend);
  }
  if (pod.activity === 'ended')
    return step('pod', 'no', `${who} has ended (${pod.phase}): it asks for nothing any more.`);
  const at = pod.ips.length === 0 ? 'has no address yet' : `has the address ${pod.ips.join(', ')}`;
  return step('pod', pod.ips.length === 0 ? 'wait' : 'ok', `${who} is on node ${pod.node} and ${at}.`);
}

function policySteps(facts: Facts): readonly Step[] {
  const { decision, pod } = facts;
  if (pod.hostNetwork) return judged.map((name) => step(name, 'passed', 'Not asked.'));
  if (decision.kind === 'untold') return untold(facts, decision.why);
  const { value } = decision;
  if (value.kind === 'pass') {
    const rest = judged.slice(1).map((name) => step(name, 'passed', 'Not asked.'));
    return [step('label', 'ok', explain(pod, value)), ...rest];
  }
  const stop = value.kind === 'allow' ? judged.length : judged.indexOf(stopOf(value));
  return judged.map((name, i) => {
    if (i < stop) return found[name](facts, value);
    return i === stop ? stopped(facts, value, name) : step(name, 'passed', 'Not reached.');
  });
}

/** How each step that was taken is told. */
const found: Readonly<Record<(typeof judged)[number], (facts: Facts, decision: Decision) => Step>> = {
  label: labelStep,
  binding: bindingStep,
  identity: identityStep,
  assignment: assignmentStep,
};

function stopOf(decision: Exclude<Decision, { kind: 'allow' | 'pass' }>): (typeof judged)[number] {
  const at = stoppedAt[decision.why.code];
  return judged.find((name) => name === at) ?? 'assignment';
}

function stopped(facts: Facts, decision: Decision, name: StepName): Step {
  const words = wordsOf(facts, decision);
  if (decision.kind === 'deny') return step(name, 'no', words, mendDenial(facts, decision.why));
  if (decision.kind !== 'wait') return step(name, 'ok', words);
  const said = name === 'assignment' ? [words, micWords(facts), facts.warning] : [words];
  return step(name, 'wait', said.filter(Boolean).join(' '), mendWait(facts, decision.why));
}

/** The agent's own; but for what they tell to type, which stands below, with the values of this cluster. */
function wordsOf({ pod }: Facts, decision: Decision): string {
  if (decision.kind !== 'deny' || decision.why.code !== 'no-label') return explain(pod, decision);
  return `Pod ${podKey(pod)} has no label ${bindingLabel}, and no AzureIdentityBinding selects it otherwise. To keep it, add it to the pod template as well.`;
}

function micWords(facts: Facts): string {
  const { mics } = facts;
  if (mics.kind === 'untold') return '';
  const first = bestOf(mics.value);
  if (!first) return `No pod of MIC is there.${isModeKnown(facts) ? ` ${byHelm}.` : ''}`;
  return first.ready
    ? `MIC is running (pod ${podKey(first)}).`
    : `MIC is not ready: pod ${podKey(first)}: ${first.why}.`;
}

/** A book that cannot be read leaves all that follows from it open. */
function untold(facts: Facts, why: string): readonly Step[] {
  const [first, ...rest] = judged.slice(1);
  return [
    labelStep(facts),
    step(first ?? 'binding', 'unknown', `${why}.`, telling(facts, why)),
    ...rest.map((name) => step(name, 'passed', 'Not reached.')),
  ];
}

/** What tells more of what could not be told. */
function telling({ mode, pod, request }: Facts, why: string): readonly string[] {
  if (why === mode.doubt) return ['podid doctor'];
  if (request.selector?.by === 'object_id')
    return [
      `az identity list --query="[?principalId=='OBJECT_ID'].clientId" --output=tsv`,
      `podid explain pod/${pod.name} -n ${pod.namespace} --client-id=CLIENT_ID`,
    ];
  return [
    'podid doctor',
    `kubectl auth can-i list azureidentitybindings.aadpodidentity.k8s.io -n ${pod.namespace}`,
  ];
}

function labelStep({ pod }: Facts): Step {
  const label = pod.labels[bindingLabel] ?? '';
  if (label === '') return step('label', 'ok', `No label ${bindingLabel}: only a podSelector can select it.`);
  return step('label', 'ok', `${bindingLabel}=${clean(label)}.`);
}

function bindingStep(facts: Facts, decision: Decision): Step {
  const names = selecting(facts).map(podKey);
  if (names.length > 0) return step('binding', 'ok', `AzureIdentityBinding ${names.join(', ')} selects it.`);
  const by =
    decision.kind === 'allow' ? ` (${clean(decision.binding)} did when the assignment was made)` : '';
  return step(
    'binding',
    'ok',
    `No AzureIdentityBinding selects it any more${by}; until MIC has taken the assignment back, it counts.`,
  );
}

function tokenStep(facts: Facts): Step {
  const { decision, pod, token } = facts;
  const passes = pod.hostNetwork || (decision.kind === 'told' && decision.value.kind === 'pass');
  if (passes) {
    const words =
      'The metadata service answers for the node: with a token if the machine has the identity that is asked for.';
    return step('token', 'unknown', words);
  }
  return token ?? step('token', 'passed', 'Nobody is asked.');
}
