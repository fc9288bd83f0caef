/** What a verb's exit status says; the same for all of them, and documented in `podid --help`. */
export const exit = {
  /** Yes, done, nothing to mend. */
  ok: 0,
  /** Could not tell, or failed on the way. */
  unknown: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** No: denied, or something to mend was found. */
  no: 3,
  /** Not yet: it would have to wait. */
  wait: 4,
} as const;

export type ExitStatus = (typeof exit)[keyof typeof exit];
