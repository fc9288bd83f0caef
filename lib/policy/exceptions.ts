import type { AzurePodIdentityException } from '../model/exception.ts';
import type { Pod } from '../model/pod.ts';

/**
 * AzurePodIdentityExceptions by namespace and label, so that 2,000 of them cost a request no more than one: a pod is
 * excepted when any one label of any exception of its namespace is on it (key exact, value in any letter case, as the
 * original).
 */
export class Exceptions {
  readonly #all = new Map<string, AzurePodIdentityException>();
  /** `namespace`, label key and folded value → keys of the exceptions that have it. */
  readonly #byLabel = new Map<string, Set<string>>();

  upsert(exception: AzurePodIdentityException): void {
    const own = `${exception.namespace}/${exception.name}`;
    this.remove(own);
    this.#all.set(own, exception);
    for (const mark of marksOf(exception.namespace, exception.podLabels)) {
      const keys = this.#byLabel.get(mark) ?? new Set();
      this.#byLabel.set(mark, keys.add(own));
    }
  }

  /** By `namespace/name`. */
  remove(key: string): void {
    const known = this.#all.get(key);
    if (!known) return;
    this.#all.delete(key);
    for (const mark of marksOf(known.namespace, known.podLabels)) {
      const keys = this.#byLabel.get(mark);
      keys?.delete(key);
      if (keys?.size === 0) this.#byLabel.delete(mark);
    }
  }

  replace(exceptions: Iterable<AzurePodIdentityException>): void {
    this.#all.clear();
    this.#byLabel.clear();
    for (const exception of exceptions) this.upsert(exception);
  }

  /** `namespace/name` of an exception that covers the pod: the first by name, so that logs are steady. */
  covering(pod: Pod): string | undefined {
    if (this.#byLabel.size === 0) return undefined;
    const keys = marksOf(pod.namespace, pod.labels).flatMap((mark) => [...(this.#byLabel.get(mark) ?? [])]);
    return keys.length > 1 ? keys.sort()[0] : keys[0];
  }
}

/** Label keys hold no `=`, and namespaces no `/`, so the joined text is unambiguous. */
function marksOf(namespace: string, labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([key, value]) => `${namespace}/${key}=${value.toLowerCase()}`);
}
