import type { Connection } from '../../kube/connection.ts';
import type { Resource } from '../../kube/resource.ts';
import {
  azureAssignedIdentities,
  azureIdentities,
  azureIdentityBindings,
  azurePodIdentityExceptions,
} from '../../kube/resources.ts';
import type { AzureAssignedIdentity } from '../../model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../../model/binding.ts';
import type { AzurePodIdentityException } from '../../model/exception.ts';
import type { AzureIdentity } from '../../model/identity.ts';
import { inNamespace } from '../lists.ts';
import { type Told, toldList } from '../told.ts';
import type { Mode } from './mode.ts';

/** The custom resources that decisions are made of, as far as they could be read. */
export interface Books {
  readonly identities: Told<readonly AzureIdentity[]>;
  readonly bindings: Told<readonly AzureIdentityBinding[]>;
  /** None in managed mode, which does not ask for them. */
  readonly assigned: Told<readonly AzureAssignedIdentity[]>;
  readonly exceptions: Told<readonly AzurePodIdentityException[]>;
}

/** Where the pods are that are asked about; undefined for all of them. */
export interface Place {
  readonly namespace: string | undefined;
  readonly node: string | undefined;
}

/**
 * What the agent of that node knows. For a mode that looks at the pod's own namespace alone, no more than that is read, so that
 * whoever may see just his own namespace gets an answer, too.
 */
export async function readBooks(
  connection: Connection,
  { managed, namespaced, byNode }: Mode,
  { namespace, node }: Place,
  signal: AbortSignal,
): Promise<Books> {
  const own = namespaced ? namespace : undefined;
  const read = <T>(resource: Resource<T>): Promise<Told<readonly T[]>> =>
    toldList(connection, resource, signal);
  const assignments = managed
    ? Promise.resolve({ kind: 'told', value: [] } as const)
    : read(azureAssignedIdentities(byNode ? node : undefined));
  const [identities, bindings, assigned, exceptions] = await Promise.all([
    read(inNamespace(azureIdentities, own)),
    read(inNamespace(azureIdentityBindings, own)),
    assignments,
    read(inNamespace(azurePodIdentityExceptions, namespace)),
  ]);
  return { identities, bindings, assigned, exceptions };
}
