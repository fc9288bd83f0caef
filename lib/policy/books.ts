import type { AzureIdentityBinding } from '../model/binding.ts';
import type { AzureIdentity } from '../model/identity.ts';

/** AzureIdentities by `namespace/name`. */
export class Identities {
  readonly #all = new Map<string, AzureIdentity>();

  upsert(identity: AzureIdentity): void {
    this.#all.set(`${identity.namespace}/${identity.name}`, identity);
  }

  remove(key: string): void {
    this.#all.delete(key);
  }

  replace(identities: Iterable<AzureIdentity>): void {
    this.#all.clear();
    for (const identity of identities) this.upsert(identity);
  }

  get(namespace: string, name: string): AzureIdentity | undefined {
    return this.#all.get(`${namespace}/${name}`);
  }
}

/** AzureIdentityBindings by namespace and selector; removed by `namespace/name`. */
export class Bindings {
  readonly #all = new Map<string, AzureIdentityBinding>();
  readonly #bySelector = new Map<string, Map<string, AzureIdentityBinding>>();

  upsert(binding: AzureIdentityBinding): void {
    const key = `${binding.namespace}/${binding.name}`;
    this.remove(key);
    this.#all.set(key, binding);
    if (binding.selector === '') return; // selects nothing; in the original it selected every pod without the label
    const place = `${binding.namespace}/${binding.selector}`;
    const same = this.#bySelector.get(place) ?? new Map<string, AzureIdentityBinding>();
    this.#bySelector.set(place, same.set(key, binding));
  }

  remove(key: string): void {
    const known = this.#all.get(key);
    if (!known) return;
    this.#all.delete(key);
    const place = `${known.namespace}/${known.selector}`;
    const same = this.#bySelector.get(place);
    same?.delete(key);
    if (same?.size === 0) this.#bySelector.delete(place);
  }

  replace(bindings: Iterable<AzureIdentityBinding>): void {
    this.#all.clear();
    this.#bySelector.clear();
    for (const binding of bindings) this.upsert(binding);
  }

  /** Those of the namespace whose selector equals the label's value, in no order. */
  selecting(namespace: string, label: string): AzureIdentityBinding[] {
    return [...(this.#bySelector.get(`${namespace}/${label}`)?.values() ?? [])];
  }
}
