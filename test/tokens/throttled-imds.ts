import { AppError } from '../../lib/model/errors.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Token } from '../../lib/model/token.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import type { FakeClock } from '../fakes/clock.ts';

/** Throttles as IMDS does: 429 for the 6th call at a time and for the 21st within a second. Calls take their time both ways. */
export class ThrottledImds implements TokenSource {
  /** When calls arrived, ms. */
  readonly arrivals: number[] = [];
  throttled = 0;
  mostInFlight = 0;
  /** What calls fail with instead, from now on; `hang` for the 10 s after which the real source gives up. */
  away: AppError | 'hang' | undefined;
  readonly #clock: FakeClock;
  readonly #random: () => number;
  #inFlight = 0;

  constructor(clock: FakeClock, random: () => number = () => 0) {
    this.#clock = clock;
    this.#random = random;
  }

  authority(): string {
    return 'imds';
  }

  credential(): string {
    return '';
  }

  /** Up to 30 ms to IMDS, 5 to 100 ms there, up to 30 ms back. */
  async fetch({ clientId }: AzureIdentity, resource: string): Promise<Token> {
    await this.#clock.sleep(30 * this.#random());
    this.#arrive();
    try {
      await this.#work();
    } finally {
      this.#inFlight -= 1;
    }
    await this.#clock.sleep(30 * this.#random());
    const now = Math.floor(this.#clock.now() / 1000);
    return {
      accessToken: `${clientId} ${resource} ${this.arrivals.length}`,
      expiresOn: now + 86_400,
      notBefore: now,
      tokenType: 'Bearer',
    };
  }

  #arrive(): void {
    const now = this.#clock.now();
    this.arrivals.push(now);
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
  }

  async #work(): Promise<void> {
    const second = this.arrivals.filter((at) => this.#clock.now() - at < 1_000);
    if (this.#inFlight > 5 || second.length > 20) {
      this.throttled += 1;
      throw new AppError('imds-refused', 'IMDS answered 429', { status: 429 });
    }
    if (this.away === 'hang') {
      await this.#clock.sleep(10_000);
      throw new AppError('imds-timeout', 'IMDS did not answer');
    }
    if (this.away) throw this.away;
    await this.#clock.sleep(5 + 95 * this.#random());
  }
}

/** The most arrivals in any second. */
export function mostInASecond(arrivals: readonly number[]): number {
  const sorted = arrivals.toSorted((a, b) => a - b);
  return Math.max(
    0,
    ...sorted
      .map((from, i) => sorted.slice(i).findIndex((at) => at - from >= 1_000))
      .map((n, i) => (n < 0 ? sorted.length - i : n)),
  );
}
