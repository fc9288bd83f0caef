import type { Connection } from '../../kube/connection.ts';
import { parsing, type Raw, record, records, strings, text } from '../../kube/fields.ts';
import type { Resource } from '../../kube/resource.ts';
import { podKey } from '../../model/pod.ts';
import { quoted } from '../shell.ts';
import { type Told, toldList } from '../told.ts';

/** What looks like an agent or a MIC: a pod, or what brings pods. */
export interface Claim {
  readonly namespace: string;
  readonly name: string;
  /** Its service account. */
  readonly account: string;
}

export type Component = 'nmi' | 'mic';

/** No tenant writes there. */
const system = 'kube-system';

interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

const ours = 'aadpodidentity.k8s.io';
/**
 * In all namespaces, by one ClusterRole: of each row one. Neither NMI nor MIC, the original's included, is without them. Whoever may
 * `view` reads pods and bindings as NMI does (daemonset/base/user-roles.yaml), but neither nodes, as ours does, nor CRDs, as the
 * original's.
 */
const needed: Readonly<Record<Component, readonly (readonly [Right, ...Right[]])[]>> = {
  nmi: [
    [{ verb: 'list', group: ours, resource: 'azureidentitybindings' }],
    [
      { verb: 'get', group: '', resource: 'nodes' },
      { verb: 'list', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
    ],
  ],
  mic: [[{ verb: 'create', group: ours, resource: 'azureassignedidentities' }]],
};

/**
 * Which claims are the cluster's own. Labels, images and command lines are whatever a pod's author wrote, and so is hostNetwork
 * where no admission forbids it: whoever may edit a namespace can make a pod or a DaemonSet there that looks like an agent's.
 * What he cannot make is the ClusterRoleBinding by which its service account may read the bindings of all namespaces and a node
 * (NMI), or write the assignments (MIC). Read once, and only if a claim stands outside kube-system.
 */
export class Standing {
  readonly #connection: Connection;
  readonly #signal: AbortSignal;
  #grants: Promise<Told<Grants>> | undefined;

  constructor(connection: Connection, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
  }

  /** Those of the claims that hold. Where roles cannot be read, all of them if they stand in one namespace, else untold. */
  async of<T extends Claim>(component: Component, claims: Told<readonly T[]>): Promise<Told<readonly T[]>> {
    if (claims.kind === 'untold' || claims.value.every(({ namespace }) => namespace === system))
      return claims;
    this.#grants ??= this.#read();
    const grants = await this.#grants;
    if (grants.kind === 'told') {
      const holds = (claim: T): boolean =>
        claim.namespace === system || isGranted(grants.value, component, claim);
      return { kind: 'told', value: claims.value.filter(holds) };
    }
    const spaces = [...new Set(claims.value.map(({ namespace }) => namespace))].sort();
    if (spaces.length === 1) return claims;
    const what = component === 'nmi' ? 'agents' : 'MICs';
    const why = `namespaces ${spaces.join(', ')} all have what looks like ${what}, and which are the cluster's own could not be told: ${grants.why}`;
    return { ...grants, why };
  }

  async #read(): Promise<Told<Grants>> {
    const [roles, bindings] = await Promise.all([
      toldList(this.#connection, clusterRoles, this.#signal),
      toldList(this.#connection, clusterRoleBindings, this.#signal),
    ]);
    if (roles.kind === 'untold') return roles;
    if (bindings.kind === 'untold') return bindings;
    return { kind: 'told', value: { roles: roles.value, bindings: bindings.value } };
  }
}

/** Of one that does not count, in a sentence, and what tells more of it. */
export function strangeness(component: Component, { namespace, name, account }: Claim): Strangeness {
  const rights = needed[component].map(([right]) => right);
  const what = component === 'nmi' ? 'an agent (NMI)' : 'MIC';
  const may = rights.map(({ verb, resource }) => `${verb} ${resource}`).join(' and ');
  const as = quoted(`system:serviceaccount:${namespace}:${account}`);
  return {
    found: `Pod ${podKey({ namespace, name })} looks like ${what} and does not count: no ClusterRoleBinding that names its ServiceAccount ${account} lets it ${may}`,
    ask: rights.map(
      ({ verb, group, resource }) =>
        `kubectl auth can-i ${verb} ${group === '' ? resource : `${resource}.${group}`} -A --as=${as}`,
    ),
  };
}

export interface Strangeness {
  readonly found: string;
  readonly ask: readonly string[];
}

interface Grants {
  readonly roles: readonly Granting[];
  readonly bindings: readonly Bound[];
}

/** A ClusterRole, and for which component it would do. */
interface Granting {
  readonly name: string;
  readonly components: readonly Component[];
}

/** A ClusterRoleBinding. */
interface Bound {
  readonly role: string;
  /** `namespace/name` of each service account that it names. Groups do not tell of one. */
  readonly accounts: readonly string[];
}

function isGranted(
  { roles, bindings }: Grants,
  component: Component,
  { namespace, account }: Claim,
): boolean {
  const key = podKey({ namespace, name: account });
  const enough = new Set(roles.filter((role) => role.components.includes(component)).map(({ name }) => name));
  return bindings.some(({ role, accounts }) => enough.has(role) && accounts.includes(key));
}

const rbac = '/apis/rbac.authorization.k8s.io/v1';

const clusterRoles: Resource<Granting> = {
  name: 'clusterroles',
  path: `${rbac}/clusterroles`,
  parse: (raw) =>
    parsing(raw, (object) => {
      const rules = records(object, 'rules');
      const components = (['nmi', 'mic'] as const).filter((each) =>
        needed[each].every((row) => row.some((right) => rules.some((rule) => grants(rule, right)))),
      );
      return { name: text(record(object, 'metadata'), 'name'), components };
    }),
};

const clusterRoleBindings: Resource<Bound> = {
  name: 'clusterrolebindings',
  path: `${rbac}/clusterrolebindings`,
  parse: (raw) =>
    parsing(raw, (object) => {
      const subjects = records(object, 'subjects').filter(({ kind }) => kind === 'ServiceAccount');
      return {
        role: text(record(object, 'roleRef'), 'name'),
        accounts: subjects.map((each) =>
          podKey({ namespace: text(each, 'namespace'), name: text(each, 'name') }),
        ),
      };
    }),
};

function grants(rule: Raw, { verb, group, resource }: Right): boolean {
  const has = (field: string, wanted: string): boolean => {
    const granted = strings(rule, field);
    return granted.includes('*') || granted.includes(wanted);
  };
  const named = strings(rule, 'resourceNames').length > 0;
  return !named && has('verbs', verb) && has('apiGroups', group) && has('resources', resource);
}
