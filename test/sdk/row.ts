import { finalAnswersTo, type Run, type Seat, type Stage } from './stage.ts';

export type Result = 'token' | 'token, asked again' | 'refused, says why' | 'refused' | 'FAILED';

/** What a client got in a case. */
export interface Row {
  readonly case: string;
  readonly client: string;
  readonly result: Result;
  /** The statuses of the agent's answers to it; as many as the requests that it sent. */
  readonly answers: readonly number[];
  /** Its whole run, with the start of its program. */
  readonly seconds: number;
  /** What it told its user, where it got no token. */
  readonly said: string;
}

/** Lets `act` run the client, and tells what came of it; a rejection is a row, too. */
export async function rowOf(
  stage: Stage,
  seat: Seat,
  act: () => Promise<Run & { again?: boolean }>,
): Promise<Row> {
  const failed = (error: unknown): Run & { failed: true } => ({ said: String(error), failed: true });
  const { seconds, said, ...run } = await timed(() => act().catch(failed));
  return {
    ...{ case: seat.case, client: seat.client.name, seconds, said },
    result: 'failed' in run ? 'FAILED' : resultOf({ ...run, said }),
    answers: await finalAnswersTo(stage, seat),
  };
}

function resultOf({ token, said, again }: Run & { again?: boolean }): Result {
  if (token) return again ? 'token, asked again' : 'token';
  return said.includes('has no label aadpodidbinding') ? 'refused, says why' : 'refused';
}

export async function timed<T>(act: () => Promise<T>): Promise<T & { seconds: number }> {
  const started = performance.now();
  const result = await act();
  return { ...result, seconds: (performance.now() - started) / 1000 };
}

/** Does `each` for all, never for more than `most` at a time; the results stand in the order of the items. */
export async function inTurn<T, R>(
  items: readonly T[],
  most: number,
  each: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of left) results[at] = await each(item);
  };
  await Promise.all(Array.from({ length: most }, worker));
  return results;
}
