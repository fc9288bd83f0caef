/** One row of the table of resources. A further resource is a further row (and, for a CRD, its schema in schema.ts). */
export interface Kind {
  /** '' is the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Has a /status subresource; without one, status is a plain field. */
  readonly status: boolean;
  /** Defined by a CRD: schema, pruning, no strategic merge. */
  readonly custom: boolean;
  /** PUT works without a resourceVersion. */
  readonly unconditionalUpdate: boolean;
  /** PUT creates what is not there. */
  readonly createOnUpdate: boolean;
  /** metadata.generation counts changes of the spec (of everything but metadata where there is no /status). */
  readonly generation: boolean;
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly fields: readonly string[];
}

const plain = {
  group: '',
  version: 'v1',
  namespaced: true,
  status: false,
  custom: false,
  unconditionalUpdate: true,
  createOnUpdate: false,
  generation: false,
  fields: [],
} satisfies Partial<Kind>;

const rbac = { group: 'rbac.authorization.k8s.io', namespaced: false } satisfies Partial<Kind>;

const custom = {
  ...plain,
  group: 'aadpodidentity.k8s.io',
  custom: true,
  unconditionalUpdate: false,
  generation: true,
} satisfies Partial<Kind>;

const podFields = [
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'status.nominatedNodeName',
  'status.phase',
  'status.podIP',
  // Accepted and then matched against nothing: the API server knows the label and gives it no value.
  'status.podIPs',
];

const eventFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

export const kinds: readonly Kind[] = [
  { ...plain, plural: 'pods', kind: 'Pod', status: true, fields: podFields },
  {
    ...plain,
    plural: 'nodes',
    kind: 'Node',
    namespaced: false,
    status: true,
    fields: ['spec.unschedulable'],
  },
  {
    ...plain,
    plural: 'namespaces',
    kind: 'Namespace',
    namespaced: false,
    status: true,
    fields: ['status.phase'],
  },
  {
    ...plain,
    plural: 'events',
    kind: 'Event',
    createOnUpdate: true,
    fields: [...eventFields.map((field) => `involvedObject.${field}`), 'reason', 'type'],
  },
  { ...plain, plural: 'secrets', kind: 'Secret', fields: ['type'] },
  { ...plain, plural: 'configmaps', kind: 'ConfigMap' },
  { ...plain, plural: 'endpoints', kind: 'Endpoints', createOnUpdate: true },
  {
    ...plain,
    group: 'coordination.k8s.io',
    plural: 'leases',
    kind: 'Lease',
    unconditionalUpdate: false,
    createOnUpdate: true,
  },
  { ...plain, group: 'apps', plural: 'daemonsets', kind: 'DaemonSet', status: true, generation: true },
  { ...plain, ...rbac, plural: 'clusterroles', kind: 'ClusterRole' },
  { ...plain, ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' },
  { ...custom, plural: 'azureidentities', kind: 'AzureIdentity' },
  { ...custom, plural: 'azureidentitybindings', kind: 'AzureIdentityBinding' },
  { ...custom, plural: 'azureassignedidentities', kind: 'AzureAssignedIdentity' },
  { ...custom, plural: 'azurepodidentityexceptions', kind: 'AzurePodIdentityException' },
];

export function apiVersionOf(kind: Kind): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

/** `azureidentities.aadpodidentity.k8s.io`, as messages name a resource. */
export function resourceName(kind: Kind): string {
  return kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
}

/** Finds a row by its kind (`Pod`) or plural (`pods`). Throws when there is none: a test's typing error. */
export function kindNamed(name: string): Kind {
  const found = kinds.find((row) => row.kind === name || row.plural === name);
  if (!found) throw new Error(`no such kind in test/lab/kube/kinds.ts: ${name}`);
  return found;
}

/** `/api/v1/namespaces/NS/pods[/NAME[/SUBRESOURCE]]`; without a namespace the collection of all namespaces. */
export function pathOf(kind: Kind, namespace?: string, name?: string, subresource?: string): string {
  const root = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  const scope = kind.namespaced && namespace ? `/namespaces/${namespace}` : '';
  return [`${root}${scope}/${kind.plural}`, name, subresource].filter(Boolean).join('/');
}
