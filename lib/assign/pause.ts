/** How long to wait before something is tried again, by how often it has failed in a row. */
export interface Steps {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Writes, and machines that ARM does not talk about. */
export const soon: Steps = { firstMs: 5_000, mostMs: 5 * 60_000 };

/** Identities that ARM refuses: somebody has to grant a right or create them first, and rights take minutes to arrive. */
export const slowly: Steps = { firstMs: 30_000, mostMs: 60 * 60_000 };

/** Doubles with the failures (1 for the first); up to a tenth shorter, so that what failed together does not come together. */
export function pauseMs({ firstMs, mostMs }: Steps, failures: number, random: () => number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (1 - 0.1 * random());
}
