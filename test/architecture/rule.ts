import type { Facts, Mention } from './facts.ts';

/** A sentence that holds for every file, with the reason that is printed where it does not. */
export interface Rule {
  readonly promise: string;
  readonly reason: string;
  /** What breaks it in this file, one line each. */
  readonly breaches: (file: Facts) => readonly string[];
  /** Path and text of files that break it, so that the rule is known to work. */
  readonly broken: readonly (readonly [path: string, text: string])[];
  /** Files that look alike and do not. */
  readonly sound: readonly (readonly [path: string, text: string])[];
}

/** `lib/a.ts:7 imports node:child_process`. */
export function tell({ path }: Facts, verb: string, { name, line }: Mention): string {
  return `${path}:${line} ${verb} ${name}`;
}
