import { messageOf } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import { Loop } from '../platform/loop.ts';
import { type Datapath, type DatapathQuestions, readDatapath } from './datapath.ts';
import type { SelfProbe, Verdict } from './self-probe.ts';

export interface ProofOptions extends DatapathQuestions {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly probe: SelfProbe;
  /** True while redirect and guard stand and the listener is open: anything else is no question of proof. */
  readonly stands: () => boolean;
}

/** Whether packets of pods meet the redirect: rules that stand in the kernel do not say so. */
export interface Proof {
  /** Looks and asks until `signal` aborts: as soon as the rules stand, after `redo`, and now and then. */
  run(signal: AbortSignal): Promise<void>;
  /** The rules were put back: what was proven may be so no longer. */
  redo(): void;
  /**
   * A connection from a pod of this node was accepted on the pods' listener. To be called only while the guard stands,
   * which lets in nothing that was not redirected.
   */
  seen(): void;
  /** For readiness, one sentence each: disproven, or a datapath that is suspected until a pod was seen. */
  problems(): string[];
  /** For the gauge: 1 proven, 0 disproven or suspected, -1 could not be told. */
  value(): 1 | 0 | -1;
}

/** How often the question is looked at, ms; no more than a comparison of times unless it is due. */
const lookMs = 1_000;
/** From one probe to the next at the least, when something asks for one, ms. */
const leastMs = 15_000;
/** From one probe to the next unasked, ms: while something is or may be wrong, and else. */
const againMs = { doubted: 60_000, else: 600_000 } as const;

export function createProof(options: ProofOptions): Proof {
  return new StandingProof(options);
}

interface Dated<T> {
  readonly what: T;
  /** ms of the monotonic clock. */
  readonly at: number;
}

class StandingProof implements Proof {
  readonly #options: ProofOptions;
  readonly #loop: Loop;
  #asked: Dated<Verdict> | undefined;
  #seenAt: number | undefined;
  /** Since when the datapath has been suspected. */
  #suspected: Dated<string> | undefined;
  /** When the last probe began. */
  #begunAt: number | undefined;
  #wanted = true;
  #told = '';

  constructor(options: ProofOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    const onError = (error: unknown): void =>
      log.error({ why: messageOf(error) }, 'proof of the redirect failed');
    const pace = { everyMs: lookMs, retryMs: lookMs, minMs: lookMs };
    this.#loop = new Loop(() => this.#look(), { clock, random, onError, ...pace });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#loop.run(signal);
  }

  redo(): void {
    this.#wanted = true;
  }

  seen(): void {
    this.#seenAt = this.#options.clock.monotonic();
  }

  problems(): string[] {
    const { disproven, suspected } = this.#doubts();
    return [
      ...(disproven === undefined ? [] : [`the redirect does not work: ${disproven}`]),
      ...(suspected === undefined ? [] : [suspected]),
    ];
  }

  value(): 1 | 0 | -1 {
    if (this.problems().length > 0) return 0;
    return this.#seenAt !== undefined || this.#asked?.what.kind === 'proven' ? 1 : -1;
  }

  /**
   * A pod outweighs what was found before it came. A probe that succeeds does not lift the suspicion: its veth is none of
   * Cilium's, so its packets meet iptables while those of pods do not (measured with such a datapath).
   */
  #doubts(): { disproven?: string; suspected?: string } {
    const since = (at: number): boolean => this.#seenAt === undefined || this.#seenAt < at;
    const asked = this.#asked;
    const suspected = this.#suspected;
    return {
      ...(asked?.what.kind === 'disproven' && since(asked.at) && { disproven: asked.what.why }),
      ...(suspected && since(suspected.at) && { suspected: suspected.what }),
    };
  }

  async #look(): Promise<void> {
    const { clock, probe, stands } = this.#options;
    if (!stands() || clock.monotonic() < this.#dueAt()) return;
    const redone = this.#wanted;
    this.#begunAt = clock.monotonic();
    this.#wanted = false;
    this.#learn(await readDatapath(this.#options));
    const verdict = await probe.ask();
    // Rules that fell or changed meanwhile answer for what happened; a new question comes when they stand.
    this.#wanted ||= !stands();
    if (this.#wanted) return;
    this.#tell(verdict);
    // What could not be told takes nothing back, unless the rules are not those that were found wanting.
    if (verdict.kind === 'unknown' && this.#asked?.what.kind === 'disproven' && !redone) return;
    this.#asked = { what: verdict, at: clock.monotonic() };
  }

  #dueAt(): number {
    if (this.#begunAt === undefined) return 0;
    if (this.#wanted) return this.#begunAt + leastMs;
    const last = this.#asked?.what;
    const doubted = this.problems().length > 0 || (last?.kind === 'unknown' && last.again);
    return this.#begunAt + (doubted ? againMs.doubted : againMs.else);
  }

  #learn(datapath: Datapath): void {
    if (datapath.kind === 'unknown') return;
    if (datapath.kind === 'netfilter') this.#suspected = undefined;
    else this.#suspected ??= { what: datapath.why, at: this.#options.clock.monotonic() };
  }

  #tell(verdict: Verdict): void {
    const { log } = this.#options;
    const why = verdict.kind === 'proven' ? '' : verdict.why;
    if (this.#told === `${verdict.kind} ${why}`) return;
    this.#told = `${verdict.kind} ${why}`;
    if (verdict.kind === 'proven') log.info({}, 'the redirect works: a probe came to this agent');
    else if (verdict.kind === 'disproven') log.warn({ why }, 'the redirect does not work');
    else log.info({ why }, 'whether packets meet the redirect could not be told');
  }
}
