import type { Clock } from '../platform/clock.ts';
import type { HttpResponse } from '../platform/http.ts';
import { retryAfterMs } from '../platform/retry-after.ts';
import { armErrorIn } from './arm-error.ts';
import { type Machine, machineKey } from './machine.ts';

/** Where ARM says "too many" and not for how long. */
const usualMs = 30_000;
const leastMs = 1_000;
const mostMs = 60 * 60_000;

/** What is left of a limit: `subscription-reads`, `subscription-writes`, or a policy like `Microsoft.Compute/GetVM3Min`. */
export type OnRemaining = (subscription: string, limit: string, remaining: number) => void;

/** Until when ARM does not want to be asked, by scope: a subscription, or one machine. */
export class Throttle {
  readonly #clock: Clock;
  readonly #onRemaining: OnRemaining;
  /** By scope, ms of the monotonic clock. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, onRemaining: OnRemaining = () => undefined) {
    this.#clock = clock;
    this.#onRemaining = onRemaining;
  }

  /** How long nothing may be asked about this machine, ms; 0 when it may. */
  waitMs(machine: Machine): number {
    const now = this.#clock.monotonic();
    return Math.max(0, ...scopesOf(machine).map((scope) => (this.#until.get(scope) ?? 0) - now));
  }

  /** Takes note of what an answer says of the limits. */
  note(machine: Machine, response: HttpResponse): void {
    for (const [limit, remaining] of remainingIn(response.headers))
      this.#onRemaining(machine.subscription, limit, remaining);
    const isLimit = response.status === 429;
    if (!isLimit && !(response.status === 503 && response.retryAfter !== undefined)) return;
    const asked = retryAfterMs(response.retryAfter, this.#clock.now()) ?? usualMs;
    const [own, all] = scopesOf(machine);
    const now = this.#clock.monotonic();
    for (const [scope, until] of this.#until) if (until <= now) this.#until.delete(scope);
    const until = now + Math.min(Math.max(asked, leastMs), mostMs);
    const scope = isLimit && isOfSubscription(response) ? all : own;
    this.#until.set(scope, Math.max(until, this.#until.get(scope) ?? 0));
  }
}

function scopesOf(machine: Machine): [own: string, all: string] {
  return [machineKey(machine), machine.subscription.toLowerCase()];
}

/**
 * Compute limits single machines, too (12 updates in one go, then 4 a minute). A 429 is the machine's own only when ARM's
 * count for the subscription stands in it and is not used up, and nothing in it speaks of the subscription.
 */
function isOfSubscription({ headers, body }: HttpResponse): boolean {
  const counts = [...remainingIn(headers)].filter(([limit]) => limit.startsWith('subscription-'));
  const { code, message, details } = armErrorIn(body);
  const words = `${code} ${message} ${details}`;
  return counts.length === 0 || counts.some(([, left]) => left <= 0) || /subscription(?!s\/)/i.test(words);
}

const prefix = 'x-ms-ratelimit-remaining-';

function* remainingIn(headers: HttpResponse['headers']): Generator<[limit: string, remaining: number]> {
  for (const kind of ['subscription-reads', 'subscription-writes']) {
    const left = headers[prefix + kind];
    if (left !== undefined && /^\d{1,9}$/.test(left)) yield [kind, Number(left)];
  }
  for (const policy of (headers[`${prefix}resource`] ?? '').split(',')) {
    const [, name, left] = /^\s*(Microsoft\.Compute\/\w{1,60});(\d{1,9})\s*$/.exec(policy) ?? [];
    if (name !== undefined) yield [name, Number(left)];
  }
}
