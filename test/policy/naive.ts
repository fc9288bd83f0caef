import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { LabelSelector } from '../../lib/model/label-selector.ts';
import type { Pod } from '../../lib/model/pod.ts';
import { aBinding, anAssigned, anIdentity, aPod } from '../fakes/model.ts';
import { pick } from '../fakes/random.ts';
import type { World } from './worlds.ts';

/** The world with nothing left out. */
export type Whole = Required<Omit<World, 'selector'>> & Pick<World, 'selector'>;

/** Pod selectors, each with what it means in plain words of this language. */
const podSelectors: readonly [PodSelector, ...PodSelector[]] = [
  { selector: { matchLabels: {}, matchExpressions: [] }, holds: () => true },
  { selector: { matchLabels: { app: 'x' }, matchExpressions: [] }, holds: ({ app }) => app === 'x' },
  {
    selector: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['x'] }] },
    holds: ({ app }) => app !== 'x',
  },
  {
    selector: {
      matchLabels: { app: 'y' },
      matchExpressions: [{ key: 'tier', operator: 'Exists', values: [] }],
    },
    holds: ({ app, tier }) => app === 'y' && tier !== undefined,
  },
];

interface PodSelector {
  readonly selector: LabelSelector;
  readonly holds: (labels: Readonly<Record<string, string | undefined>>) => boolean;
}

const namespaces = ['apps', 'other'] as const;
const names = ['a', 'b', 'c'] as const;

/** A small world in which most things that can meet do meet. */
export function randomWorld(random: () => number): Whole {
  const mode = pick(['managed', 'standard'], random);
  const some = <T>(make: () => T): T[] => Array.from({ length: Math.floor(random() * 4) }, make);
  const objectIds = { a: 'object-a', ...(random() < 0.5 && { b: 'object-b' }) };
  const ask = random() < 0.6;
  return {
    mode,
    namespaced: mode === 'managed' || random() < 0.3,
    pod: aPod({ labels: randomLabels(random) }),
    bindings: some(() => randomBinding(random)),
    identities: some(() => randomIdentity(random)),
    assigned: some(() =>
      anAssigned({
        namespace: pick(['default', 'default', 'default', 'apps', 'other'], random),
        name: `assigned-${random()}`,
        pod: pick(['web', 'web', 'web', 'web-2'], random),
        node: pick(['node1', 'node1', '', 'node2'], random),
        state: pick(['', 'Created', 'Assigned', 'Assigned', 'Unassigned'], random),
        identity: randomIdentity(random),
        binding: {
          namespace: pick(namespaces, random),
          name: pick(names, random),
          weight: pick([0, 1], random),
          selector: pick(['', '', '', '', 'one', 'one', 'two'], random),
        },
      }),
    ),
    objectIds,
    ...(ask && { selector: randomSelector(random) }),
  };
}

function randomLabels(random: () => number): Record<string, string> {
  return {
    ...(random() < 0.7 && { aadpodidbinding: pick(['one', 'two', ''], random) }),
    ...(random() < 0.6 && { app: pick(['x', 'y'], random) }),
    ...(random() < 0.5 && { tier: 'front' }),
  };
}

function randomBinding(random: () => number): AzureIdentityBinding {
  return aBinding({
    namespace: pick(['apps', 'apps', 'other'], random),
    name: pick(names, random),
    azureIdentity: pick(names, random),
    selector: pick(['one', 'one', 'two', ''], random),
    podSelector: random() < 0.4 ? pick(podSelectors, random).selector : undefined,
    weight: pick([0, 1], random),
  });
}

function randomIdentity(random: () => number): AzureIdentity {
  const name = pick(names, random);
  return anIdentity({
    namespace: pick(['apps', 'apps', 'other'], random),
    name,
    type: pick([0, 0, 0, 1], random),
    clientId: random() < 0.1 ? '' : `client-${name}`,
    resourceId: random() < 0.2 ? '' : `resource-${name}`,
    namespaced: random() < 0.2,
    allowedNamespaces: pick([undefined, undefined, undefined, ['apps'], ['other'], []], random),
  });
}

function randomSelector(random: () => number): NonNullable<World['selector']> {
  const by = pick(['client_id', 'resource_id', 'object_id'], random);
  const value = `${by.slice(0, by.indexOf('_'))}-${pick(['a', 'b', 'c', 'd'], random)}`;
  return { by, value: random() < 0.5 ? value : value.toUpperCase() };
}

/** Does the binding select the pod? From the words of the API, without an index. */
export function bindingSelects(binding: AzureIdentityBinding, pod: Pod, anyNamespace: boolean): boolean {
  const { aadpodidbinding: label = '' } = pod.labels;
  const near = binding.namespace === pod.namespace;
  const byPod = podSelectors.find(({ selector }) => selector === binding.podSelector);
  if (byPod) return near && byPod.holds(pod.labels) && ['', label].includes(binding.selector);
  return (near || anyNamespace) && label !== '' && binding.selector === label;
}

/** Is there a rule that keeps this identity from the pod? */
export function isKept(identity: AzureIdentity, { pod, namespaced }: Whole): boolean {
  const far = identity.namespace !== pod.namespace;
  const { allowedNamespaces: allowed } = identity;
  return (
    (far && (namespaced || identity.namespaced)) ||
    (allowed !== undefined && !allowed.includes(pod.namespace))
  );
}

/** Does the request mean this identity? */
export function isMeant(identity: AzureIdentity, { selector, objectIds }: Whole): boolean {
  if (!selector) return true;
  const own = {
    client_id: identity.clientId,
    resource_id: identity.resourceId,
    object_id: objectIds[identity.name],
  };
  return own[selector.by]?.toUpperCase() === selector.value.toUpperCase();
}
