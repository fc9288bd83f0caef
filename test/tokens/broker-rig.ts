import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Token } from '../../lib/model/token.ts';
import { Broker, type CacheEvent, type Payment } from '../../lib/tokens/broker.ts';
import type { TokenSource } from '../../lib/tokens/source.ts';
import { FakeClock } from '../fakes/clock.ts';
import { anIdentity } from '../fakes/model.ts';

export const minute = 60_000;
export const hour = 60 * minute;
/** When a token of a day is due for renewal, without jitter. */
export const due = 55 * minute;
export const vault = 'https://vault.azure.net';

/** Answers each call with a token that is numbered and lives a day, once the test lets it. */
export class FakeSource implements TokenSource {
  readonly calls: string[] = [];
  /** Seconds that a new token lives. */
  lifeSec = 86_400;
  /** What a new token has behind its number, in bytes. */
  padding = 0;
  /** What the next calls fail with. */
  failure: Error | undefined;
  /** While set, calls wait for it. */
  gate: Promise<void> | undefined;
  readonly #clock: FakeClock;
  readonly #authority: string;

  constructor(clock: FakeClock, authority = 'imds') {
    this.#clock = clock;
    this.#authority = authority;
  }

  authority(): string {
    return this.#authority;
  }

  credential({ namespace, name, type }: AzureIdentity): string {
    return type === 0 ? '' : `${namespace}/secret-of-${name}`;
  }

  async fetch(identity: AzureIdentity, resource: string): Promise<Token> {
    this.calls.push(`${identity.name} ${resource}`);
    const number = this.calls.length;
    await this.gate;
    if (this.failure) throw this.failure;
    const now = Math.floor(this.#clock.now() / 1000);
    return {
      accessToken: `token-${number}${' '.repeat(this.padding)}`,
      expiresOn: now + this.lifeSec,
      notBefore: now,
      tokenType: 'Bearer',
    };
  }
}

export interface Bench {
  readonly clock: FakeClock;
  readonly source: FakeSource;
  readonly principals: FakeSource;
  readonly broker: Broker;
  readonly paid: Payment[];
  /** `NAME token-N`, as sources handed them out. */
  readonly fetched: string[];
  readonly renewalFailures: { readonly identity: string; readonly error: unknown; readonly gone?: string }[];
  readonly events: CacheEvent[];
  /** The number of the token that a request gets. */
  ask(identity?: Partial<AzureIdentity>, resource?: string): Promise<string>;
}

/** `random` 0 is no jitter: a renewal is due 55 minutes after its token. */
export function start(random: () => number = () => 0): Bench {
  const clock = new FakeClock();
  const source = new FakeSource(clock);
  const principals = new FakeSource(clock, 'https://login.microsoftonline.com');
  const paid: Payment[] = [];
  const sources = new Map([
    [0, source],
    [1, principals],
    [2, principals],
  ]);
  const fetched: string[] = [];
  const events: CacheEvent[] = [];
  const renewalFailures: Bench['renewalFailures'] = [];
  const broker = new Broker({
    clock,
    sources,
    onPaid: (payment) => paid.push(payment),
    onFetched: ({ name }, { accessToken }) => fetched.push(`${name} ${accessToken}`),
    onRenewalFailed: ({ name }, error, gone) =>
      renewalFailures.push({ identity: name, error, ...(gone !== undefined && { gone }) }),
    onCache: (event) => events.push(event),
    random,
  });
  const ask = async (identity: Partial<AzureIdentity> = {}, resource = vault): Promise<string> =>
    (await broker.get(anIdentity(identity), resource)).accessToken.trimEnd();
  return { clock, source, principals, broker, paid, fetched, renewalFailures, events, ask };
}
