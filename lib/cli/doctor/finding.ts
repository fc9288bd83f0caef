import { type Told, untoldOf } from '../told.ts';

/** `error`: some pod gets no token, or may get one that it should not; `warning`: it may come to that; `note`: good to know. */
export type Severity = 'error' | 'warning' | 'note';

/** Something that is not as it should be. Each text is one or two sentences, fit for a terminal. */
export interface Finding {
  readonly severity: Severity;
  /** What was found, with the names of the objects. */
  readonly what: string;
  /** What it does to people. */
  readonly why: string;
  /** Commands that mend it, or show more of it; each is safe to paste. */
  readonly mend: readonly string[];
}

/** What a check says. Nothing in either list: all is well. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** What could not be told, and why. */
  readonly untold: readonly string[];
}

type ValueOf<T> = T extends { readonly kind: 'told'; readonly value: infer V } ? V : never;

/** Judges by what was read; where any of it could not be, says only that. */
export function judge<const Needed extends Readonly<Record<string, Told<unknown>>>>(
  needed: Needed,
  look: (read: { readonly [Key in keyof Needed]: ValueOf<Needed[Key]> }) => readonly Finding[],
): Verdict {
  const untold = untoldOf(...Object.values(needed));
  if (untold.length > 0) return { findings: [], untold };
  const values = Object.entries(needed).map(([key, told]) => [
    key,
    told.kind === 'told' ? told.value : undefined,
  ]);
  return { findings: look(Object.fromEntries(values)), untold: [] };
}

/** All that several looks say. */
export function together(...verdicts: readonly Verdict[]): Verdict {
  return {
    findings: verdicts.flatMap(({ findings }) => findings),
    untold: [...new Set(verdicts.flatMap(({ untold }) => untold))],
  };
}

/** `a, b, c and 4 more`: a line for any number of names, each once. */
export function listed(names: readonly string[], most = 5): string {
  const unique = [...new Set(names)];
  const shown = unique.slice(0, most);
  const rest = unique.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** `1 pod`, `3 pods`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
