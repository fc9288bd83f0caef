import { compare } from '../model/order.ts';
import type { Clock } from '../platform/clock.ts';
import type { Change } from './identity-patch.ts';
import type { MachinePlan } from './operation.ts';
import { pauseMs, slowly, soon } from './pause.ts';
import type { ResourceId } from './resource-id.ts';
import type { Suspects } from './suspects.ts';

interface Setback {
  readonly change: Change;
  /** In a row; 0 for one that was not tried alone. */
  readonly failures: number;
  /** ms of the monotonic clock. */
  readonly untilMs: number;
}

/**
 * Changes of one machine that ARM has refused, and when each may be tried again. Whoever may write AzureIdentities could keep
 * others waiting with ones that do not exist: so identities of a namespace of which some stand refused, or were lately, are tried
 * apart from the others' and after them, and seldom while new ones come to be refused. The first that comes after a refusal is tried
 * at once: it may be the correction. What another namespace's AzureIdentity names, too, is judged by that.
 */
export class Setbacks {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #setbacks = new Map<string, Setback>();
  readonly #machine: string;
  readonly #known: Suspects;
  #owners: ReadonlyMap<ResourceId, readonly string[]> = new Map();
  /** Namespaces of identities that stand refused here. */
  #standing: ReadonlySet<string> = new Set();

  /** `known` is shared by the machines, of which this is `machine`. */
  constructor(
    machine: string,
    known: Suspects,
    { clock, random }: { readonly clock: Clock; readonly random: () => number },
  ) {
    this.#machine = machine;
    this.#known = known;
    this.#clock = clock;
    this.#random = random;
  }

  /** How long the change has to wait, ms; 0 when it may be tried. */
  waitMs(change: Change): number {
    const own = this.#setbacks.get(keyOf(change))?.untilMs ?? 0;
    const gates = this.#isSuspect(change) ? this.#ownersOf(change) : [];
    const gated = gates.map((namespace) => this.#known.opensAt(namespace));
    return Math.max(0, Math.max(own, gated.length > 0 ? Math.min(...gated) : 0) - this.#clock.monotonic());
  }

  /** Changes that may be tried together: first all that nothing speaks against, then those of each suspect. */
  grouped(changes: readonly Change[]): readonly (readonly Change[])[] {
    const groups = Map.groupBy(changes, (change) =>
      this.#isSuspect(change) ? this.#ownersOf(change).join() : '',
    );
    return [...groups].sort(([a], [b]) => compare(a, b)).map(([, group]) => group);
  }

  /** ARM has said no to each of them. Gives how long each has to wait now, ms. */
  refused(changes: readonly Change[]): readonly number[] {
    const more = changes.filter((change) => this.#failuresOf(change) === 0 && this.#isOneMore(change));
    for (const namespace of this.#namespacesOf(more)) this.#known.close(namespace);
    this.#known.refused(this.#namespacesOf(changes), this.#machine);
    const waits = changes.map((change) => {
      const failures = this.#failuresOf(change) + 1;
      return this.#wait(change, failures, pauseMs(slowly, failures, this.#random));
    });
    this.#look();
    return waits;
  }

  /** ARM has said no to something that they were together with. */
  undecided(changes: readonly Change[]): void {
    for (const change of changes) this.#wait(change, this.#failuresOf(change), soon.firstMs);
  }

  done(changes: readonly Change[]): void {
    for (const change of changes) this.#setbacks.delete(keyOf(change));
    this.#look();
  }

  /** Forgets changes that nobody wants any more: who asks anew has a reason to. */
  keep({ wanted = [], remove = [], leaving = [] }: Partial<MachinePlan>): void {
    this.#owners = new Map(wanted.map(({ id, owners }) => [id, owners]));
    const going = new Set([...remove, ...leaving]);
    for (const [key, { change }] of this.#setbacks) {
      const isAsked = this.#owners.has(change.id) || (change.to === 'off' && going.has(change.id));
      if (!isAsked) this.#setbacks.delete(key);
    }
    this.#look();
  }

  #ownersOf({ id }: Change): readonly string[] {
    return this.#owners.get(id) ?? [];
  }

  #failuresOf(change: Change): number {
    return this.#setbacks.get(keyOf(change))?.failures ?? 0;
  }

  #isSuspect(change: Change): boolean {
    return this.#areAll(change, (namespace) => this.#standing.has(namespace) || this.#known.has(namespace));
  }

  /** Of namespaces of which others were refused here before. */
  #isOneMore(change: Change): boolean {
    const isKnown = (namespace: string): boolean => this.#known.has(namespace, this.#machine);
    return this.#areAll(change, (namespace) => this.#standing.has(namespace) || isKnown(namespace));
  }

  #areAll(change: Change, holds: (namespace: string) => boolean): boolean {
    const owners = change.to === 'on' ? this.#ownersOf(change) : [];
    return owners.length > 0 && owners.every(holds);
  }

  /** Of those that ARM was asked to put on. */
  #namespacesOf(changes: readonly Change[]): ReadonlySet<string> {
    return new Set(changes.filter(({ to }) => to === 'on').flatMap((change) => this.#ownersOf(change)));
  }

  #look(): void {
    const refused = [...this.#setbacks.values()].filter(({ failures }) => failures > 0);
    this.#standing = this.#namespacesOf(refused.map(({ change }) => change));
  }

  #wait(change: Change, failures: number, ms: number): number {
    this.#setbacks.set(keyOf(change), { change, failures, untilMs: this.#clock.monotonic() + ms });
    return ms;
  }
}

function keyOf({ id, to }: Change): string {
  return `${to} ${id}`;
}
