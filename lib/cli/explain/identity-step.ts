import type { Decision } from '../../model/decision.ts';
import { type AzureIdentity, typeWords } from '../../model/identity.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { type Facts, selecting } from './facts.ts';
import { completing } from './mend.ts';
import { type Step, step } from './step.ts';

/** What an assignment is waited for with: without its AzureIdentity, MIC never makes it, which the agent does not look at. */
export function identityStep(facts: Facts, decision: Decision): Step {
  if (decision.kind === 'allow')
    return step('identity', 'ok', `AzureIdentity ${wordsOf(decision.identity)}.`);
  if (decision.kind !== 'wait') return step('identity', 'ok', 'It is there.');
  const { why } = decision;
  if (why.code === 'not-assigned') return step('identity', 'ok', `AzureIdentity ${clean(why.identity)}.`);
  if (why.code !== 'assignment-missing') return step('identity', 'ok', 'It is there.');
  return bound(facts, why.binding);
}

function bound(facts: Facts, name: string): Step {
  const { identities } = facts.books;
  const binding = selecting(facts).find((each) => each.name === name);
  if (!binding || identities.kind === 'untold') return step('identity', 'ok', 'Not looked at by the agent.');
  const { namespace, azureIdentity } = binding;
  const identity = identities.value.find(
    (each) => each.namespace === namespace && each.name === azureIdentity,
  );
  if (identity) return step('identity', 'ok', `AzureIdentity ${wordsOf(identity)}.`);
  const found = `AzureIdentityBinding ${clean(name)} names AzureIdentity ${namespace}/${clean(azureIdentity)}, which does not exist.`;
  return step('identity', 'wait', found, completing(facts, name));
}

function wordsOf(identity: AzureIdentity): string {
  return `${podKey(identity)}: ${typeWords(identity.type)}, client id ${clean(identity.clientId)}`;
}
