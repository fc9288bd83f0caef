import { unlessAborted } from '../../lib/platform/wait.ts';
import { diagnosis } from './diagnosis.ts';
import { passedBy } from './passing.ts';
import type { Scenario, Stage } from './stage.ts';
import { type Row, seconds } from './table.ts';

export interface Playing {
  readonly signal: AbortSignal;
  /** What came of each, as it ends. */
  readonly tell: (text: string) => void;
}

/** Plays them one after the other, also after one that failed; after each, no pod must have passed by the agents. */
export async function play(
  scenarios: readonly Scenario[],
  stage: Stage,
  { signal, tell }: Playing,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { name, run, decisive } of scenarios) {
    if (signal.aborted) break;
    const started = performance.now();
    const breaches = await breachesOf(run, stage, signal);
    const row = { name, ms: performance.now() - started, breaches };
    rows.push(row);
    tell(`${breaches.length === 0 ? 'ok    ' : 'FAILED'} ${seconds(row.ms).padStart(7)}  ${name}`);
    if (breaches.length === 0) continue;
    tell(`${breaches.join('\n')}\n${await diagnosis(stage.kubectl)}`);
    if (decisive) break;
  }
  return rows;
}

async function breachesOf(run: Scenario['run'], stage: Stage, signal: AbortSignal): Promise<string[]> {
  const breaches: string[] = [];
  try {
    await unlessAborted(run(stage), signal);
  } catch (error) {
    breaches.push(told(error));
  }
  try {
    breaches.push(...passedBy((await stage.imds.log()).requests));
    await stage.imds.clear();
  } catch (error) {
    breaches.push(told(error));
  }
  return breaches;
}

/** With its causes: what `eventually` met last is one. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${told(error.cause)}`;
}
