import { plain } from '../model/text.ts';
import { type Output, printed, type Report } from './report.ts';
import { colourStyle, plainStyle, type Style } from './style.ts';
import type { World } from './world.ts';

/** What the caller sees: reports on stdout, progress on stderr. */
export class Screen {
  readonly output: Output;
  readonly #world: World;
  readonly #style: Style;
  #progress = '';

  constructor(output: Output, world: World) {
    this.output = output;
    this.#world = world;
    this.#style = world.stdout.isTerminal && !world.env.NO_COLOR ? colourStyle : plainStyle;
  }

  /** A person reads it as it comes. */
  get isTerminal(): boolean {
    return this.output === 'text' && this.#world.stdout.isTerminal;
  }

  show(report: Report): void {
    this.clear();
    this.#world.stdout.write(printed(report, this.output, this.#style));
  }

  /** The same in place of what the terminal shows; elsewhere behind it. */
  redraw(report: Report): void {
    // Home, then clear to the end: clearing first would flicker.
    if (this.isTerminal) this.#world.stdout.write('\x1b[H\x1b[J');
    this.show(report);
  }

  /** What is being waited for: one line that the next one replaces, on a terminal; elsewhere a line whenever it changes. */
  progress(line: string): void {
    const { stderr } = this.#world;
    const shown = plain(line);
    if (shown === this.#progress) return;
    // What wraps would stay: only the last row of it is taken away. The last column makes some terminals wrap.
    const fits = shown.slice(0, (stderr.columns ?? Number.POSITIVE_INFINITY) - 1);
    stderr.write(stderr.isTerminal ? `\r\x1b[K${fits}` : `${shown}\n`);
    this.#progress = shown;
  }

  /** Takes the line of progress away. */
  clear(): void {
    if (this.#progress !== '' && this.#world.stderr.isTerminal) this.#world.stderr.write('\r\x1b[K');
    this.#progress = '';
  }
}
