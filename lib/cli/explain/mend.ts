import { type AzureIdentityBinding, bindingLabel } from '../../model/binding.ts';
import type { DenyReason, NamespaceRule, WaitReason } from '../../model/decision.ts';
import type { AzureIdentity } from '../../model/identity.ts';
import { compare } from '../../model/order.ts';
import type { Pod } from '../../model/pod.ts';
import { bestOf } from '../agents/agent.ts';
import { installing } from '../agents/commands.ts';
import { quoted } from '../shell.ts';
import { orNone } from '../told.ts';
import { type Facts, isModeKnown, selecting } from './facts.ts';

/** Lines that are offered at most where any of several would do. */
const mostOffers = 3;

/** What mends each denial, as lines for a shell. Capitals stand for what only the reader knows. */
export function mendDenial(facts: Facts, why: DenyReason): readonly string[] {
  const { namespace } = facts.pod;
  switch (why.code) {
    case 'no-label':
      return labelling(facts);
    case 'no-binding':
      return [adding(namespace, why.label, why.label)];
    case 'not-bound':
      return binding(facts, why.selector.by === 'resource_id' ? why.selector.value : undefined);
    case 'other-namespace':
      return allowing(facts, why.identity, why.rule);
    case 'no-client-id':
      return naming(why.identity);
  }
}

/** What mends each wait, where waiting alone does not. */
export function mendWait(facts: Facts, why: WaitReason): readonly string[] {
  const { pod } = facts;
  switch (why.code) {
    case 'binding-missing':
      return [adding(pod.namespace, why.label, why.label)];
    case 'identity-missing':
      return completing(facts, why.binding);
    case 'assignment-missing':
      return watchingMic(facts);
    case 'not-assigned': {
      const own = orNone(facts.books.assigned).filter(({ pod: name }) => name === pod.name);
      const identity = own.find((each) => each.identity.name === why.identity)?.identity;
      const where = identity?.namespace ?? pod.namespace;
      return [
        `kubectl describe azureidentity ${quoted(why.identity)} -n ${quoted(where)}`,
        ...watchingMic(facts),
      ];
    }
  }
}

/** An identity and its binding, in one command. */
function adding(namespace: string, name: string, selector: string, resourceId = 'RESOURCE_ID'): string {
  const called = name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-');
  return `podid add --namespace=${quoted(namespace)} --name=${called} --identity-resource-id=${resourceId} --client-id=CLIENT_ID --binding-selector=${quoted(selector)}`;
}

function labelling({ pod, books, mode }: Facts): readonly string[] {
  const isOwn = ({ namespace }: AzureIdentityBinding): boolean => namespace === pod.namespace;
  const selectors = orNone(books.bindings)
    .filter((each) => each.selector !== '' && (isOwn(each) || !mode.namespaced))
    .toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a)) || compare(a.selector, b.selector))
    .map(({ selector }) => selector);
  const offers = [...new Set(selectors)].slice(0, mostOffers);
  if (offers.length === 0) {
    return [adding(pod.namespace, pod.name, pod.name), labelled(pod, pod.name)];
  }
  return offers.map((selector) => labelled(pod, selector));
}

function labelled({ namespace, name }: Pod, selector: string): string {
  return `kubectl label pod ${name} -n ${namespace} --overwrite ${bindingLabel}=${quoted(selector)}`;
}

/** Another identity for the pod, or the request for one that it has. */
function binding(facts: Facts, resourceId: string | undefined): readonly string[] {
  const { pod, books } = facts;
  const bound = selecting(facts).flatMap(({ namespace, azureIdentity }) =>
    orNone(books.identities).filter((each) => each.namespace === namespace && each.name === azureIdentity),
  );
  const own = bound
    .slice(0, mostOffers)
    .map(
      ({ clientId }) => `podid explain pod/${pod.name} -n ${pod.namespace} --client-id=${quoted(clientId)}`,
    );
  const label = pod.labels[bindingLabel] ?? pod.name;
  const quotedId = resourceId === undefined ? undefined : quoted(resourceId);
  return [...own, adding(pod.namespace, label, label, quotedId)];
}

function allowing(
  { pod }: Facts,
  { namespace, name }: AzureIdentity,
  rule: NamespaceRule,
): readonly string[] {
  const at = `azureidentity ${name} -n ${namespace}`;
  switch (rule) {
    case 'mode':
      return [adding(pod.namespace, name, pod.labels[bindingLabel] || pod.name)];
    case 'annotation':
      return [`kubectl annotate ${at} aadpodidentity.k8s.io/Behavior-`];
    case 'allowedNamespaces': {
      const patch = [{ op: 'add', path: '/spec/allowedNamespaces/-', value: pod.namespace }];
      return [`kubectl patch ${at} --type=json -p=${quoted(JSON.stringify(patch))}`];
    }
  }
}

function naming({ namespace, name, resourceId }: AzureIdentity): readonly string[] {
  return [
    `az identity show --ids=${resourceId === '' ? 'RESOURCE_ID' : quoted(resourceId)} --query=clientId --output=tsv`,
    `kubectl patch azureidentity ${name} -n ${namespace} --type=merge -p='{"spec":{"clientID":"CLIENT_ID"}}'`,
  ];
}

/** The identity that a binding names. */
export function completing(facts: Facts, name: string): readonly string[] {
  const found = selecting(facts).find((each) => each.name === name);
  if (!found) return [];
  const { namespace, azureIdentity, selector } = found;
  return [
    `kubectl get azureidentities -n ${namespace}`,
    adding(namespace, azureIdentity, selector || facts.pod.name),
  ];
}

/** MIC makes and carries out assignments: is it there, and what does it say? */
function watchingMic(facts: Facts): readonly string[] {
  const { mics } = facts;
  if (mics.kind === 'untold') return [];
  const first = bestOf(mics.value);
  if (!first) return [isModeKnown(facts) ? installing('standard') : 'podid doctor'];
  const at = `${first.name} -n ${first.namespace}`;
  return [first.ready ? `kubectl logs ${at} --tail=50` : `kubectl describe pod ${at}`];
}
