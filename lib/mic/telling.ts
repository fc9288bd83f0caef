import type { Outcry } from '../assign/apply-doors.ts';
import type { Problem } from '../assign/problem.ts';
import type { EventRef } from '../kube/event-body.ts';
import type { Events } from '../kube/events.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import type { MicMetrics } from '../platform/mic-metrics.ts';

/** What is still wrong is told again so often, ms; Kubernetes keeps events for an hour. */
const againMs = 50 * 60_000;

/** Of so many problems of one namespace people are told in a minute, that nobody floods log and events; the metric counts all. */
const mostAMinute = 20;
const minuteMs = 60_000;

export interface TellingOptions {
  readonly clock: Clock;
  readonly events: Pick<Events, 'report'>;
  readonly metrics: MicMetrics;
  readonly log: Logger;
  readonly refOf: (about: Outcry['about']) => EventRef | undefined;
}

/** Tells people what MIC does and what keeps it from doing more: events on the objects, and a line of log. */
export class Telling {
  readonly #options: TellingOptions;
  /** When each problem was told, ms of the monotonic clock. */
  readonly #told = new Map<string, number>();
  /** How many were told of each namespace since `#since`. */
  readonly #counts = new Map<string, number>();
  #since = 0;

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  outcry({ about, ...event }: Outcry): void {
    const ref = this.#options.refOf(about);
    if (ref) this.#options.events.report(ref, event);
  }

  /** All of the latest plan. One that has gone and comes back is a new one. */
  problems(all: readonly Problem[]): void {
    const { clock, log, metrics } = this.#options;
    const now = clock.monotonic();
    metrics.problems.reset();
    const standing = new Set(all.map(keyOf));
    for (const key of this.#told.keys()) if (!standing.has(key)) this.#told.delete(key);
    for (const problem of all) {
      const { code, about, message } = problem;
      metrics.problems.inc({ code });
      const toldAt = this.#told.get(keyOf(problem));
      if (toldAt !== undefined && now - toldAt < againMs) continue;
      if (!this.#hasRoom(about.namespace, now)) continue;
      this.#told.set(keyOf(problem), now);
      log.warn(
        { code, kind: about.kind, namespace: about.namespace, name: about.name, why: message },
        'problem',
      );
      this.outcry({ about, type: 'Warning', reason: reasonOf(code), message });
    }
  }

  #hasRoom(namespace: string, now: number): boolean {
    if (now - this.#since >= minuteMs) {
      this.#counts.clear();
      this.#since = now;
    }
    const count = (this.#counts.get(namespace) ?? 0) + 1;
    this.#counts.set(namespace, count);
    return count <= mostAMinute;
  }
}

function keyOf({ code, about: { kind, namespace, name }, message }: Problem): string {
  return `${code} ${kind} ${namespace}/${name} ${message}`;
}

/** `name-collision` as `NameCollision`. */
function reasonOf(code: Problem['code']): string {
  return code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
