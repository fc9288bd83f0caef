import type { SeenBinding } from '../../assign/snapshot.ts';
import { bindingLabel } from '../../model/binding.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { BindingIndex } from '../binding-index.ts';
import { quoted } from '../shell.ts';
import type { Facts, SeenPod } from './facts.ts';
import { counted, type Finding, judge, listed, together, type Verdict } from './finding.ts';

/** Tells which pods are meant to have an identity; in whichever mode, since a label counts by itself. */
export function wantingIdentity(bindings: readonly SeenBinding[]): BindingIndex {
  return new BindingIndex(bindings, { namespaced: false });
}

/** Labels without a binding, bindings without a pod, and the label in another letter case. */
export function checkLabels(facts: Facts): Verdict {
  const { pods, bindings, mode } = facts;
  return together(
    judge({ pods }, (read) => misspelt(read.pods)),
    judge({ pods, bindings, mode }, (read) => {
      const index = new BindingIndex(read.bindings, read.mode);
      return [...unbound(read.pods, read.bindings, index), ...idle(read.pods, read.bindings, index)];
    }),
  );
}

function unbound(
  pods: readonly SeenPod[],
  bindings: readonly SeenBinding[],
  index: BindingIndex,
): readonly Finding[] {
  const lost = pods.filter((pod) => !pod.ended && pod.labels[bindingLabel] && !index.hasFor(pod));
  const groups = Object.groupBy(lost, ({ namespace, labels }) => `${namespace}/${labels[bindingLabel]}`);
  // Of the same namespace: to change another's binding would take its pods' identity and give it to these.
  const byLabel = bindings.filter(({ podSelector }) => !podSelector);
  const nearly = new Map(byLabel.map((each) => [nearlyAt(each.namespace, each.selector), each]));
  return Object.values(groups).map((group = []) => {
    const [{ namespace = '', labels = {} } = {}] = group;
    const label = labels[bindingLabel] ?? '';
    const near = nearly.get(nearlyAt(namespace, label));
    const hint = near
      ? `; AzureIdentityBinding ${podKey(near)} has ${clean(near.selector)}, in another letter case`
      : '';
    return {
      severity: 'error',
      what: `${counted(group.length, 'pod')} of namespace ${namespace} with the label ${bindingLabel}=${clean(label)}, and no AzureIdentityBinding has that selector${hint}`,
      why: `They wait for every token and then get 404: ${listed(group.map(podKey), 3)}`,
      mend: near
        ? [relabel(near, label)]
        : [
            `podid add --namespace=${quoted(namespace)} --name=NAME --identity-resource-id=RESOURCE_ID --client-id=CLIENT_ID --binding-selector=${quoted(label)}`,
          ],
    };
  });
}

function relabel({ namespace, name }: SeenBinding, selector: string): string {
  const patch = JSON.stringify({ spec: { selector } });
  return `kubectl patch azureidentitybinding ${name} -n ${namespace} --type=merge -p=${quoted(patch)}`;
}

/** A place for all selectors of a namespace that differ in letter case alone. */
function nearlyAt(namespace: string, selector: string): string {
  return `${namespace}/${selector.toLowerCase()}`;
}

/** The pods may well be to come. */
function idle(
  pods: readonly SeenPod[],
  bindings: readonly SeenBinding[],
  index: BindingIndex,
): readonly Finding[] {
  const without = index.idle(bindings, pods);
  if (without.length === 0) return [];
  const [first] = without;
  return [
    {
      severity: 'note',
      what: `AzureIdentityBindings that select no pod: ${listed(without.map(podKey))}`,
      why: 'Nobody gets an identity by them; their pods are still to come, have gone, or carry another label',
      mend: [`kubectl get pods -A -l ${bindingLabel}=${quoted(first?.selector ?? '')}`],
    },
  ];
}

/** Keys of labels are exact; the original's documents write this one in several ways. */
function misspelt(pods: readonly SeenPod[]): readonly Finding[] {
  const keyOf = ({ labels }: SeenPod): string | undefined =>
    Object.keys(labels).find((key) => key !== bindingLabel && same(key, bindingLabel));
  const wrong = pods.filter((pod) => keyOf(pod) !== undefined && !pod.labels[bindingLabel]);
  const [first] = wrong;
  if (!first) return [];
  const key = keyOf(first) ?? '';
  const value = first.labels[key] ?? '';
  return [
    {
      severity: 'error',
      what: `The label is ${bindingLabel}, in small letters; ${listed(wrong.map(podKey))} carry ${clean(key)}`,
      why: 'They count as pods without an identity, and get no token',
      mend: [
        `kubectl label pod ${first.name} -n ${first.namespace} ${bindingLabel}=${quoted(value)} ${quoted(key)}-`,
      ],
    },
  ];
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
