/** How large a cluster is. Every scale set has the same number of nodes, every node of pods, and every pod one identity. */
export interface Size {
  readonly scaleSets: number;
  readonly nodes: number;
  readonly pods: number;
  readonly identities: number;
}

/** What is promised for, and a tenth of it in every respect. */
export const sizes = {
  tenth: { scaleSets: 2, nodes: 100, pods: 5_000, identities: 20 },
  full: { scaleSets: 20, nodes: 1_000, pods: 50_000, identities: 200 },
} as const satisfies Record<string, Size>;
