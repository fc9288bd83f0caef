/** The way of a request, in its order. */
export type StepName = 'pod' | 'label' | 'binding' | 'identity' | 'assignment' | 'agent' | 'token';

/** `passed`: the request does not come by here. */
export type StepState = 'ok' | 'no' | 'wait' | 'unknown' | 'passed';

export interface Step {
  readonly step: StepName;
  readonly state: StepState;
  /** What was found, in a sentence or two; clean. */
  readonly found: string;
  /** Commands and other lines that mend it, or tell more; each is safe to paste. */
  readonly mend: readonly string[];
}

/** What would come of the request: `given`, or the worst of its steps. */
export type Verdict = 'given' | 'denied' | 'wait' | 'unknown';

/** One `no` denies it, whatever else there is; one that waits keeps it from being given now. */
export function verdictOf(steps: readonly Step[]): Verdict {
  const has = (state: StepState): boolean => steps.some((step) => step.state === state);
  if (has('no')) return 'denied';
  if (has('wait')) return 'wait';
  return has('unknown') ? 'unknown' : 'given';
}

export function step(name: StepName, state: StepState, found: string, mend: readonly string[] = []): Step {
  return { step: name, state, found, mend };
}
