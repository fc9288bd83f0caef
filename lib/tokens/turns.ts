import type { Asker, Leave } from '../model/turn.ts';
import type { Clock } from '../platform/clock.ts';
import { Lanes } from './lanes.ts';
import type { EnterSource } from './source.ts';
import { unpaid } from './unpaid.ts';

/** One who waits for a turn. */
interface Waiter extends Asker {
  /** The turn has come. */
  readonly begin: (leave: Leave) => void;
}

const mostPerPod = 64;
const mostInAll = 1_024;

/**
 * Lets so many fetches be under way at once, and pods wait for theirs by turns. Neither the API server, whose Secrets are read, nor
 * Entra ID, nor this process is to be kept busy by one pod that asks for ever new resources.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #lanes = new Lanes<Waiter>();
  #underWay = 0;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Rejects with AppError `entra-busy` when no turn comes in the asker's time, and with the signal's reason. */
  readonly enter: EnterSource = (asker, signal) => {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#lanes.lengthOf(asker.who) >= mostPerPod || this.#lanes.size >= mostInAll)
      return Promise.reject(busy());
    const { promise, resolve, reject } = Promise.withResolvers<Leave>();
    const waiter: Waiter = { ...asker, begin: resolve };
    const late = this.#clock.after(asker.until - this.#clock.monotonic(), () => giveUp(busy()));
    const abort = (): void => giveUp(signal.reason);
    const giveUp = (reason: unknown): void => {
      this.#lanes.remove(waiter);
      reject(reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#lanes.push(waiter);
    this.#pump();
    return promise.finally(() => {
      late.cancel();
      signal.removeEventListener('abort', abort);
    });
  };

  #pump(): void {
    while (this.#underWay < this.#most) {
      const waiter = this.#lanes.next();
      if (!waiter) return;
      this.#underWay += 1;
      waiter.begin(this.#leave());
    }
  }

  #leave(): Leave {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#underWay -= 1;
      this.#pump();
    };
  }
}

function busy(): Error {
  return unpaid(
    'entra-busy',
    'Too many tokens of service principals are being fetched on this node; try again',
  );
}
