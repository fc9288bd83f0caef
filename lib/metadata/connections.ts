import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A tenth of what the listener takes: no pod can have the connections of the others. */
const mostPerAddress = 800;

/** What the listener knows of its connections: how many each address has, and whose turn it is on each. */
export class Connections {
  readonly #most: number;
  readonly #open = new Map<string, number>();
  readonly #turns = new WeakMap<Duplex, Promise<boolean>>();

  constructor(most = mostPerAddress) {
    this.#most = most;
  }

  /** Counts a new connection until it closes; ends it at once when its address has too many. */
  admit(socket: Socket): void {
    const address = socket.remoteAddress;
    const open = address === undefined ? 0 : (this.#open.get(address) ?? 0);
    if (address === undefined || open >= this.#most) return void socket.destroy();
    this.#open.set(address, open + 1);
    socket.once('close', () => {
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left === 0) this.#open.delete(address);
      else this.#open.set(address, left);
    });
  }

  /**
   * Requests of one connection, one after the other: Node hands out pipelined requests all at once. `work` tells whether
   * the connection goes on; what stands behind a request that ended it is never begun, since nobody could get its answer.
   */
  inTurn(socket: Duplex, work: () => boolean | Promise<boolean>): void {
    const before = this.#turns.get(socket) ?? Promise.resolve(true);
    const turn = before.then((open) => open && work());
    this.#turns.set(socket, turn);
  }
}
