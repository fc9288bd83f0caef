/** A part of the program that runs until `signal` aborts. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs the tasks side by side until `signal` aborts. The first that fails or ends by itself stops the others; resolves
 * when all have ended, and rejects with the first failure.
 */
export async function runTasks(signal: AbortSignal, tasks: Readonly<Record<string, Task>>): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let failed: { error: unknown } | undefined;
  const run = async (name: string, task: Task): Promise<void> => {
    try {
      await task(both);
      if (!both.aborted) throw new Error(`${name} ended by itself`);
    } catch (error) {
      failed ??= { error };
    } finally {
      stop.abort();
    }
  };
  await Promise.all(Object.entries(tasks).map(([name, task]) => run(name, task)));
  if (failed) throw failed.error;
}
