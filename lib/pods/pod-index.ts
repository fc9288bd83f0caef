import { type Pod, podKey } from '../model/pod.ts';

/**
 * Who has an address, as far as one view of the cluster tells. `unsure`: pods claim it, but not exactly one of them is
 * known to hold it still; a fresh look must settle it.
 */
export type Holder =
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'none' }
  | { readonly kind: 'unsure' };

/**
 * This node's pods by IP. A `namespace/name` is one pod at a time in the API server's order of events, so a StatefulSet's
 * pod that comes back under its name, with a new UID and maybe a new IP, takes the old one's place.
 */
export class PodIndex {
  readonly #pods = new Map<string, Pod>();
  readonly #byIp = new Map<string, Set<Pod>>();
  readonly #onClaim: (ip: string) => void;

  /** `onClaim` is told of every address that a pod claims. */
  constructor(onClaim: (ip: string) => void = () => undefined) {
    this.#onClaim = onClaim;
  }

  replace(pods: Iterable<Pod>): void {
    this.#pods.clear();
    this.#byIp.clear();
    for (const pod of pods) this.upsert(pod);
  }

  upsert(pod: Pod): void {
    this.remove(podKey(pod));
    this.#pods.set(podKey(pod), pod);
    if (!claims(pod)) return;
    for (const ip of pod.ips) {
      this.#claimants(ip).add(pod);
      this.#onClaim(ip);
    }
  }

  /** By `namespace/name`. */
  remove(key: string): void {
    const pod = this.#pods.get(key);
    if (!pod) return;
    this.#pods.delete(key);
    for (const ip of pod.ips) {
      const claimants = this.#byIp.get(ip);
      claimants?.delete(pod);
      if (claimants?.size === 0) this.#byIp.delete(ip);
    }
  }

  /** By `namespace/name`, hostNetwork or not. */
  get(key: string): Pod | undefined {
    return this.#pods.get(key);
  }

  /** Every address that one pod holds for sure. */
  *held(): Generator<{ readonly ip: string; readonly pod: string }> {
    for (const ip of this.#byIp.keys()) {
      const holder = this.holderOf(ip);
      if (holder.kind === 'pod') yield { ip, pod: podKey(holder.pod) };
    }
  }

  /** Never a guess: two claimants, or one that may have let go of it, is `unsure`. */
  holderOf(ip: string): Holder {
    const claimants = this.#byIp.get(ip);
    const [only] = claimants ?? [];
    if (!only) return { kind: 'none' };
    return claimants?.size === 1 && holds(only) ? { kind: 'pod', pod: only } : { kind: 'unsure' };
  }

  /** The same question to a fresh and complete list: pods that may have let go of it no longer count. */
  settledHolderOf(ip: string): Holder {
    const [only, ...others] = [...(this.#byIp.get(ip) ?? [])].filter(holds);
    if (!only) return { kind: 'none' };
    return others.length === 0 ? { kind: 'pod', pod: only } : { kind: 'unsure' };
  }

  #claimants(ip: string): Set<Pod> {
    const known = this.#byIp.get(ip);
    if (known) return known;
    const made = new Set<Pod>();
    this.#byIp.set(ip, made);
    return made;
  }
}

/** hostNetwork pods share the node's address, and a finished pod's address may be another's already. */
function claims(pod: Pod): boolean {
  return !pod.hostNetwork && (pod.phase === 'Pending' || pod.phase === 'Running');
}

/** The sandbox and its IP are freed before the API object goes, so a pod that has ended holds nothing. */
function holds(pod: Pod): boolean {
  return pod.activity !== 'ended';
}
