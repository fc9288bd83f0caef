import type { AzureIdentity } from '../model/identity.ts';
import { type ResourceId, resourceIdOf } from './resource-id.ts';

/** The setting `immutable` as a set to look up lower-case client ids and resource ids in. */
export function immutableNames(named: readonly string[]): ReadonlySet<string> {
  return new Set(named.filter((name) => name !== '').map((name) => name.toLowerCase()));
}

/**
 * The ids that are never taken off a machine: those that are named so, and those that any known identity has together with a
 * client id that is. Letter case does not count (in the original it did).
 */
export class Immutable {
  readonly #named: ReadonlySet<string>;
  readonly #ids = new Set<ResourceId>();

  constructor(named: readonly string[], identities: Iterable<AzureIdentity>) {
    this.#named = immutableNames(named);
    for (const identity of identities) this.learn(identity);
  }

  learn({ clientId, resourceId }: Pick<AzureIdentity, 'clientId' | 'resourceId'>): void {
    if (this.#named.size === 0 || clientId === '' || !this.#named.has(clientId.toLowerCase())) return;
    const id = resourceIdOf(resourceId);
    if (id !== undefined) this.#ids.add(id);
  }

  has(id: ResourceId): boolean {
    return this.#ids.has(id) || this.#named.has(id);
  }
}
