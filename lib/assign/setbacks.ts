import { compare } from '../model/order.ts';
import type { Clock } from '../platform/clock.ts';
import type { Change } from './identity-patch.ts';
import type { MachinePlan } from './operation.ts';
import { pauseMs, type Steps, slowly, soon } from './pause.ts';
import type { ResourceId } from './resource-id.ts';

interface Setback {
  readonly change: Change;
  /** In a row; 0 for one that was not tried alone. */
  readonly failures: number;
  /** ms of the monotonic clock. */
  readonly untilMs: number;
}

/** For a namespace of which ever new identities are refused: what it costs to find them is ARM's patience with all. */
const gate: Steps = { firstMs: 30_000, mostMs: 10 * 60_000 };

/**
 * Changes of one machine that ARM has refused, and when each may be tried again. Whoever may write AzureIdentities could keep
 * others waiting with ones that do not exist: so identities of a namespace of which some stand refused are tried apart from
 * the others' and after them, and seldom while new ones come to be refused. What another namespace's AzureIdentity names, too, is
 * judged by that.
 */
export class Setbacks {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #setbacks = new Map<string, Setback>();
  readonly #gates = new Map<string, { readonly failures: number; readonly untilMs: number }>();
  #owners: ReadonlyMap<ResourceId, readonly string[]> = new Map();
  /** Namespaces of identities that stand refused. */
  #suspects: ReadonlySet<string> = new Set();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How long the change has to wait, ms; 0 when it may be tried. */
  waitMs(change: Change): number {
    const own = this.#setbacks.get(keyOf(change))?.untilMs ?? 0;
    const gates = this.#isSuspect(change) ? this.#ownersOf(change) : [];
    const gated = gates.map((namespace) => this.#gates.get(namespace)?.untilMs ?? 0);
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
    const fresh = changes.filter((change) => this.#isSuspect(change) && this.#failuresOf(change) === 0);
    for (const namespace of new Set(fresh.flatMap((change) => this.#ownersOf(change))))
      this.#close(namespace);
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
  keep({ wanted = [], remove = [] }: Partial<MachinePlan>): void {
    this.#owners = new Map(wanted.map(({ id, owners }) => [id, owners]));
    const going = new Set(remove);
    for (const [key, { change }] of this.#setbacks) {
      const isAsked = this.#owners.has(change.id) || (change.to === 'off' && going.has(change.id));
      if (!isAsked) this.#setbacks.delete(key);
    }
    const now = this.#clock.monotonic();
    for (const [namespace, { untilMs }] of this.#gates)
      if (untilMs + gate.mostMs < now) this.#gates.delete(namespace);
    this.#look();
  }

  #ownersOf({ id }: Change): readonly string[] {
    return this.#owners.get(id) ?? [];
  }

  #failuresOf(change: Change): number {
    return this.#setbacks.get(keyOf(change))?.failures ?? 0;
  }

  #isSuspect(change: Change): boolean {
    const owners = change.to === 'on' ? this.#ownersOf(change) : [];
    return owners.length > 0 && owners.every((namespace) => this.#suspects.has(namespace));
  }

  #look(): void {
    const refused = [...this.#setbacks.values()].filter(
      ({ failures, change }) => failures > 0 && change.to === 'on',
    );
    this.#suspects = new Set(refused.flatMap(({ change }) => this.#ownersOf(change)));
  }

  #close(namespace: string): void {
    const failures = (this.#gates.get(namespace)?.failures ?? 0) + 1;
    const untilMs = this.#clock.monotonic() + pauseMs(gate, failures, this.#random);
    this.#gates.set(namespace, { failures, untilMs });
  }

  #wait(change: Change, failures: number, ms: number): number {
    this.#setbacks.set(keyOf(change), { change, failures, untilMs: this.#clock.monotonic() + ms });
    return ms;
  }
}

function keyOf({ id, to }: Change): string {
  return `${to} ${id}`;
}
