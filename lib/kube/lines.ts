import { AppError } from '../model/errors.ts';

const newline = 0x0a;

/**
 * Cuts a stream of bytes into lines of UTF-8 text. Cutting comes before decoding, so a character may be split over chunks.
 * What follows the last newline is held until it is whole.
 */
export class LineDecoder {
  readonly #maxBytes: number;
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  #held: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` completes. Throws AppError `kube-garbled` for bytes that are not UTF-8, `kube-too-large`. */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#hold(chunk.subarray(start, end));
      start = end + 1;
      yield this.#take();
    }
    this.#hold(chunk.subarray(start));
  }

  #hold(part: Uint8Array): void {
    this.#size += part.byteLength;
    if (this.#size > this.#maxBytes) {
      throw new AppError('kube-too-large', `the API server sent a line of over ${this.#maxBytes} bytes`);
    }
    if (part.byteLength > 0) this.#held.push(part);
  }

  #take(): string {
    const line = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = [];
    this.#size = 0;
    try {
      return this.#text.decode(line);
    } catch {
      throw new AppError('kube-garbled', 'the API server sent a line that is not UTF-8');
    }
  }
}
