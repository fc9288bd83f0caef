import type { Socket } from 'node:net';

/** How many connections each remote address has open, so that none can have the connections of the others. */
export class PerAddress {
  readonly #most: number;
  readonly #open = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Counts a new connection until it closes, under its address or the name given. False when that has as many as it may,
   * or the address is gone already.
   */
  admit(socket: Socket, name?: string): boolean {
    const address = socket.remoteAddress && (name ?? socket.remoteAddress);
    const open = address === undefined ? 0 : (this.#open.get(address) ?? 0);
    if (address === undefined || open >= this.#most) return false;
    this.#open.set(address, open + 1);
    socket.once('close', () => {
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left === 0) this.#open.delete(address);
      else this.#open.set(address, left);
    });
    return true;
  }
}
