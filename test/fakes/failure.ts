/** What `work` throws or rejects with. Rejects when it does neither, so that a test of a failure cannot pass without one. */
export async function failureOf(work: () => unknown): Promise<Error> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`threw something that is not an Error: ${String(error)}`);
  }
  throw new Error('nothing failed');
}

/** The code and the exact sentence of the AppError that `work` fails with; undefined for another error's code. */
export async function refusalOf(work: () => unknown): Promise<{ code: unknown; message: string }> {
  const error = await failureOf(work);
  return { code: 'code' in error ? error.code : undefined, message: error.message };
}
