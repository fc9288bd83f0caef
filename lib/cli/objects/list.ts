import type { Resource } from '../../kube/resource.ts';
import {
  azureAssignedIdentities,
  azureIdentities,
  azureIdentityBindings,
  azurePodIdentityExceptions,
} from '../../kube/resources.ts';
import type { AzureAssignedIdentity } from '../../model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../../model/binding.ts';
import { isAppError } from '../../model/errors.ts';
import { type AzureIdentity, typeWords } from '../../model/identity.ts';
import { byKey, compare } from '../../model/order.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { allNamespaces } from '../arguments.ts';
import { exit } from '../exit.ts';
import { inNamespace, itemsOf, listIfInstalled } from '../lists.ts';
import type { Report } from '../report.ts';
import { table } from '../table.ts';
import { type Call, verb } from '../verb.ts';

const flags = { allNamespaces };
type ListCall = Call<typeof flags>;

/** `az aks pod-identity list` */
export const listVerb = verb({
  name: 'list',
  words: '',
  count: [0, 0],
  summary: 'List the identities that pods can be given, and by which label',
  about: `
podid list -n my-app
podid list -A -o json
`,
  flags,
  run: async (call) => {
    const [identities, bindings, assigned] = await Promise.all([
      all(call, azureIdentities),
      all(call, azureIdentityBindings),
      assignedOf(call),
    ]);
    return identityReport(call, { identities, bindings, assigned });
  },
});

/** `az aks pod-identity exception list` */
export const exceptionListVerb = verb({
  name: 'exception list',
  words: '',
  count: [0, 0],
  summary: 'List the exceptions: which pods pass as the node',
  about: `
podid exception list -A
`,
  flags,
  run: async (call) => {
    const exceptions = (await all(call, azurePodIdentityExceptions)).toSorted(byKey);
    const labelsOf = (labels: Readonly<Record<string, string>>): string =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(',');
    const rows = exceptions.map(({ namespace, name, podLabels }) => [namespace, name, labelsOf(podLabels)]);
    return {
      status: exit.ok,
      data: exceptions.map(({ podLabels, ...each }) => ({ ...each, podLabels: { ...podLabels } })),
      text: (style) =>
        rows.length === 0
          ? `no exceptions${within(call)}\n`
          : table(['NAMESPACE', 'NAME', 'POD LABELS'], rows, style),
    };
  },
});

/** An identity with all that leads to it. */
interface Row extends Pick<AzureIdentity, 'namespace' | 'name' | 'type' | 'clientId' | 'resourceId'> {
  readonly bindings: readonly { readonly name: string; readonly selector: string }[];
  /** How many pods have it, by state; undefined where the assignments could not be read. */
  readonly assigned: Readonly<Record<string, number>> | undefined;
}

interface Read {
  readonly identities: readonly AzureIdentity[];
  readonly bindings: readonly AzureIdentityBinding[];
  readonly assigned: readonly AzureAssignedIdentity[] | undefined;
}

function identityReport(call: ListCall, { identities, bindings, assigned }: Read): Report {
  const byIdentity = Map.groupBy(bindings, ({ namespace, azureIdentity }) =>
    podKey({ namespace, name: azureIdentity }),
  );
  const assignedBy = assigned && Map.groupBy(assigned, ({ identity }) => podKey(identity));
  const rows = identities.toSorted(byKey).map((identity): Row => {
    const { namespace, name, type, clientId, resourceId } = identity;
    const own = byIdentity.get(podKey(identity)) ?? [];
    const states = assignedBy && countsOf(assignedBy.get(podKey(identity)) ?? []);
    return {
      namespace,
      name,
      type,
      clientId,
      resourceId,
      bindings: own.toSorted(byKey).map(boundBy),
      assigned: states,
    };
  });
  const headings = ['NAMESPACE', 'NAME', 'TYPE', 'CLIENT ID', 'SELECTOR', 'ASSIGNED', 'RESOURCE ID'];
  return {
    status: exit.ok,
    data: rows,
    text: (style) =>
      rows.length === 0 ? `no identities${within(call)}\n` : table(headings, rows.map(cells), style),
  };
}

function cells({ namespace, name, type, clientId, bindings, assigned, resourceId }: Row): string[] {
  const selectors = bindings.map(({ selector }) => selector).join(',');
  const states = Object.entries(assigned ?? { '?': 0 })
    .map(([state, count]) => (count > 0 ? `${count} ${state}` : state))
    .join(', ');
  return [namespace, name, typeWords(type), clientId, selectors, states, resourceId];
}

function boundBy({ name, selector, podSelector }: AzureIdentityBinding): Row['bindings'][number] {
  return { name, selector: selector || (podSelector ? '(podSelector)' : '') };
}

/** Where it was looked: a namespace that is misspelt has none either. */
function within({ flags: given, cluster }: ListCall): string {
  return given.allNamespaces ? '' : ` in namespace ${clean(cluster.namespace)}`;
}

/** MICs before 1.5 wrote no state, and meant Assigned. */
function countsOf(assigned: readonly AzureAssignedIdentity[]): Readonly<Record<string, number>> {
  const groups = Object.groupBy(assigned, ({ state }) => state || 'Assigned');
  const counts = Object.entries(groups).map(([state, of = []]) => [state, of.length] as const);
  return Object.fromEntries(counts.sort(([a], [b]) => compare(a, b)));
}

/** Of all namespaces: MIC writes them into its own. Whoever may read one namespace alone sees his list without them. */
async function assignedOf({
  cluster,
  signal,
}: ListCall): Promise<readonly AzureAssignedIdentity[] | undefined> {
  try {
    return (await listIfInstalled(cluster.connection, azureAssignedIdentities(undefined), signal)).items;
  } catch (error) {
    if (isAppError(error, 'kube-refused')) return undefined;
    throw error;
  }
}

async function all<T>(
  { flags: given, cluster, signal }: ListCall,
  resource: Resource<T>,
): Promise<readonly T[]> {
  const scope = given.allNamespaces ? undefined : cluster.namespace;
  return itemsOf(cluster.connection, inNamespace(resource, scope), { signal });
}
