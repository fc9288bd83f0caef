import type { Decision } from '../../model/decision.ts';
import { podKey } from '../../model/pod.ts';
import { orNone } from '../told.ts';
import type { Facts } from './facts.ts';
import { type Step, step } from './step.ts';

/** The assignment that an allowed request goes by. */
export function assignmentStep({ mode, pod, books }: Facts, decision: Decision): Step {
  if (decision.kind !== 'allow' || mode.managed) {
    const found = `Managed mode: whether the identity is on the machine of node ${pod.node} is not written down in the cluster; IMDS tells.`;
    return step('assignment', 'passed', found);
  }
  const { identity, binding } = decision;
  const own = orNone(books.assigned).find(
    (each) =>
      each.podNamespace === pod.namespace &&
      each.pod === pod.name &&
      each.binding.name === binding &&
      podKey(each.identity) === podKey(identity),
  );
  return step(
    'assignment',
    'ok',
    `AzureAssignedIdentity ${own ? podKey(own) : ''} is ${own?.state || 'Assigned'}.`,
  );
}
