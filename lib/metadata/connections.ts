import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../platform/clock.ts';
import { PerAddress } from '../platform/per-address.ts';

/**
 * What an address is to the listener. `stranger`: no pod that we know; all of them share what one may have, since a pod on a
 * bridge can use any free address. `refused`: nobody who has any business here.
 */
export type StandingOf = (address: string) => 'known' | 'stranger' | 'refused';

export interface ConnectionLimits {
  /** For each address; a tenth of what the listener takes, so that no pod can have the connections of the others. */
  readonly perAddress: number;
  /** Connections of all addresses beyond that, kept for `surplusMs` to be told why. */
  readonly surplus: number;
  readonly surplusMs: number;
  readonly standingOf: StandingOf;
}

const usual: ConnectionLimits = { perAddress: 800, surplus: 64, surplusMs: 2_000, standingOf: () => 'known' };

/** The requests of one connection. */
interface Line {
  open: boolean;
  busy: boolean;
  /** Lets the next one begin. */
  readonly waiting: (() => void)[];
}

/** What the listener knows of its connections: how many each address has, and whose turn it is on each. */
export class Connections {
  readonly #clock: Clock;
  readonly #limits: ConnectionLimits;
  readonly #open: PerAddress;
  readonly #surplus = new Set<Duplex>();
  readonly #lines = new WeakMap<Duplex, Line>();

  constructor(clock: Clock, limits: Partial<ConnectionLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...usual, ...limits };
    this.#open = new PerAddress(this.#limits.perAddress);
  }

  /** Counts a new connection until it closes. False: its address has too many, and it was ended unheard. */
  admit(socket: Socket): boolean {
    const standing = this.#limits.standingOf(socket.remoteAddress ?? '');
    if (standing === 'refused') {
      socket.destroy();
      return false;
    }
    if (this.#open.admit(socket, standing === 'stranger' ? 'strangers' : undefined)) return true;
    if (socket.remoteAddress !== undefined && this.#surplus.size < this.#limits.surplus) {
      this.#keepShortly(socket);
      return true;
    }
    socket.destroy();
    return false;
  }

  /** One too many of its address: its first request is refused, and it ends. */
  isSurplus(socket: Duplex): boolean {
    return this.#surplus.has(socket);
  }

  /** A request on it has not had its answer yet. */
  isBusy(socket: Duplex): boolean {
    return this.#lines.get(socket)?.busy === true;
  }

  /** Another request of it waits for its turn. */
  isFollowed(socket: Duplex): boolean {
    return (this.#lines.get(socket)?.waiting.length ?? 0) > 0;
  }

  /**
   * Requests of one connection, one after the other: Node hands out pipelined requests all at once. `work` tells whether
   * the connection goes on; what stands behind a request that ended it is never begun, since nobody could get its answer.
   * Resolves when the turn is over or has come to nothing.
   */
  async inTurn(socket: Duplex, work: () => boolean | Promise<boolean>): Promise<void> {
    const line = this.#lines.get(socket) ?? { open: true, busy: false, waiting: [] };
    this.#lines.set(socket, line);
    if (line.busy) await new Promise<void>((resolve) => line.waiting.push(resolve));
    line.busy = true;
    try {
      if (line.open) line.open = await work();
    } finally {
      const next = line.waiting.shift();
      if (next) next();
      else line.busy = false;
    }
  }

  #keepShortly(socket: Socket): void {
    this.#surplus.add(socket);
    const end = this.#clock.after(this.#limits.surplusMs, () => socket.destroy());
    socket.once('close', () => {
      end.cancel();
      this.#surplus.delete(socket);
    });
  }
}
