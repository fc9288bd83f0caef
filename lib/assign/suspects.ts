import type { Clock } from '../platform/clock.ts';
import { pauseMs, type Steps } from './pause.ts';

/** For a namespace of which ever new identities are refused: what it costs to find them is ARM's patience with all. */
const gate: Steps = { firstMs: 30_000, mostMs: 10 * 60_000 };

/**
 * Namespaces of which ARM has refused an identity lately, for all machines. This outlives the identity, which may be named anew
 * every second, and the pods that asked for it. How often a namespace may come with more of them its gate says.
 */
export class Suspects {
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Until when it is remembered, ms of the monotonic clock, by namespace and machine. */
  readonly #refusals = new Map<string, Map<string, number>>();
  readonly #gates = new Map<string, { readonly failures: number; readonly untilMs: number }>();

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** An identity of the namespace was refused lately; on this machine, where one is named. */
  has(namespace: string, machine?: string): boolean {
    const now = this.#clock.monotonic();
    const refusals = this.#refusals.get(namespace) ?? new Map<string, number>();
    const untils = machine === undefined ? [...refusals.values()] : [refusals.get(machine) ?? 0];
    return untils.some((untilMs) => untilMs > now);
  }

  /** When its next identity may be tried, ms of the monotonic clock. */
  opensAt(namespace: string): number {
    return this.#gates.get(namespace)?.untilMs ?? 0;
  }

  /** ARM has refused identities of these namespaces on the machine. */
  refused(namespaces: Iterable<string>, machine: string): void {
    const untilMs = this.#clock.monotonic() + gate.mostMs;
    for (const namespace of namespaces) {
      const refusals = this.#refusals.get(namespace) ?? new Map<string, number>();
      this.#refusals.set(namespace, refusals.set(machine, untilMs));
    }
  }

  /** Each machine on which it was tried in vain counts; but what the first correction comes to, which all try at once, counts once. */
  close(namespace: string): void {
    const now = this.#clock.monotonic();
    const { failures: before, untilMs: until } = this.#gates.get(namespace) ?? { failures: 0, untilMs: 0 };
    if (before === 1 && until > now) return;
    const failures = before + 1;
    this.#gates.set(namespace, { failures, untilMs: now + pauseMs(gate, failures, this.#random) });
  }

  /** Forgets what is over. */
  tidy(): void {
    const now = this.#clock.monotonic();
    for (const [namespace, refusals] of this.#refusals) {
      for (const [machine, untilMs] of refusals) if (untilMs <= now) refusals.delete(machine);
      if (refusals.size === 0) this.#refusals.delete(namespace);
    }
    for (const [namespace, { untilMs }] of this.#gates)
      if (untilMs + gate.mostMs < now) this.#gates.delete(namespace);
  }
}
