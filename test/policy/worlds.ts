import type { AzureAssignedIdentity } from '../../lib/model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import type { IdentitySelector } from '../../lib/model/decision.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Pod } from '../../lib/model/pod.ts';
import { AssignedIdentities, Bindings, Identities } from '../../lib/policy/books.ts';
import { type Books, decide, type OwnDecision } from '../../lib/policy/decide.ts';
import { managedCandidates } from '../../lib/policy/managed.ts';
import { standardCandidates } from '../../lib/policy/standard.ts';
import { aBinding, anAssigned, anIdentity, aPod } from '../fakes/model.ts';

/** What a decision is about; what is left out is the usual: one pod, bound to one identity, which is assigned. */
export interface World {
  readonly mode?: 'managed' | 'standard';
  /** `--forceNamespaced`; managed mode is always so. */
  readonly namespaced?: boolean;
  readonly pod?: Pod;
  readonly bindings?: readonly AzureIdentityBinding[];
  /** Managed mode. */
  readonly identities?: readonly AzureIdentity[];
  /** Standard mode. */
  readonly assigned?: readonly AzureAssignedIdentity[];
  /** What tokens have told, by name of the identity. */
  readonly objectIds?: Readonly<Record<string, string>>;
  readonly selector?: IdentitySelector;
}

export function booksOf(world: World): Books {
  const { mode = 'managed', namespaced = false, objectIds = {} } = world;
  const bindings = new Bindings();
  bindings.replace(world.bindings ?? [aBinding()]);
  const objectIdOf = ({ name }: AzureIdentity): string | undefined => objectIds[name];
  if (mode === 'managed') {
    const identities = new Identities();
    identities.replace(world.identities ?? [anIdentity()]);
    return { candidatesOf: managedCandidates(bindings, identities), objectIdOf, namespaced: true };
  }
  const assigned = new AssignedIdentities();
  assigned.replace(world.assigned ?? [anAssigned()]);
  return { candidatesOf: standardCandidates(assigned, bindings, { namespaced }), objectIdOf, namespaced };
}

export function decided(world: World = {}): OwnDecision {
  const { pod = aPod(), selector } = world;
  return decide(pod, { resource: 'https://vault.azure.net', ...(selector && { selector }) }, booksOf(world));
}

/** `allow NAMESPACE/NAME by BINDING`, `wait CODE` or `deny CODE`. */
export function brief(world: World = {}): string {
  const decision = decided(world);
  if (decision.kind !== 'allow') return `${decision.kind} ${decision.why.code}`;
  const { identity, binding } = decision;
  return `allow ${identity.namespace}/${identity.name} by ${binding}`;
}

export const byClient = (value: string): World => ({ selector: { by: 'client_id', value } });
export const byResource = (value: string): World => ({ selector: { by: 'resource_id', value } });
export const byObject = (value: string): World => ({ selector: { by: 'object_id', value } });
