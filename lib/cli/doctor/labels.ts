import type { SeenBinding } from '../../assign/snapshot.ts';
import { bindingLabel } from '../../model/binding.ts';
import { podKey } from '../../model/pod.ts';
import { bindingSelects, type Selectable } from '../../model/selection.ts';
import { clean } from '../../model/text.ts';
import type { Mode } from '../explain/mode.ts';
import { quoted } from '../shell.ts';
import type { Facts, SeenPod } from './facts.ts';
import { counted, type Finding, judge, listed, together, type Verdict } from './finding.ts';

/** Whether the pod is meant to have an identity: it carries the label, or a binding selects it. */
export function needsIdentity(
  pod: Selectable,
  bindings: readonly SeenBinding[],
  { namespaced }: Pick<Mode, 'namespaced'>,
): boolean {
  if (pod.labels[bindingLabel]) return true;
  return bindings.some((binding) => binding.podSelector && bindingSelects(binding, pod, !namespaced));
}

/** Labels without a binding, bindings without a pod, and the label in another letter case. */
export function checkLabels(facts: Facts): Verdict {
  const { pods, bindings, mode } = facts;
  return together(
    judge({ pods }, (read) => misspelt(read.pods)),
    judge({ pods, bindings }, (read) => [
      ...unbound(read.pods, read.bindings, mode),
      ...idle(read.pods, read.bindings, mode),
    ]),
  );
}

function unbound(pods: readonly SeenPod[], bindings: readonly SeenBinding[], mode: Mode): readonly Finding[] {
  const lost = pods.filter(({ ended, labels }) => !ended && labels[bindingLabel]);
  const groups = Object.groupBy(
    lost.filter((pod) => !bindings.some((each) => bindingSelects(each, pod, !mode.namespaced))),
    ({ namespace, labels }) => `${namespace}/${labels[bindingLabel]}`,
  );
  return Object.values(groups).map((group = []) => {
    const [{ namespace = '', labels = {} } = {}] = group;
    const label = labels[bindingLabel] ?? '';
    // Of the same namespace: to change another's binding would take its pods' identity and give it to these.
    const near = bindings.find(
      (each) => each.namespace === namespace && each.selector !== label && same(each.selector, label),
    );
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

/** The pods may well be to come. */
function idle(pods: readonly SeenPod[], bindings: readonly SeenBinding[], mode: Mode): readonly Finding[] {
  const without = bindings.filter((binding) => {
    const speaks = binding.selector !== '' || binding.podSelector;
    return speaks && !pods.some((pod) => bindingSelects(binding, pod, !mode.namespaced));
  });
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
