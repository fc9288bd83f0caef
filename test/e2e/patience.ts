/** For what a loaded machine may take its time for: `eventually` waits so long, and asks so often. */
export const long = { withinMs: 120_000, everyMs: 500 } as const;
