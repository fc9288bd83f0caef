import type { ObjectOperation } from './operation.ts';

/** The same operations, those of different pods' namespaces by turns: whoever has a thousand pods holds up none with one. */
export function byTurns(operations: readonly ObjectOperation[]): ObjectOperation[] {
  const lines = [...Map.groupBy(operations, podNamespaceOf).values()];
  const longest = Math.max(0, ...lines.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => lines.flatMap((line) => line[turn] ?? [])).flat();
}

function podNamespaceOf(operation: ObjectOperation): string {
  return operation.kind === 'create' || operation.kind === 'update'
    ? operation.target.podNamespace
    : operation.object.podNamespace;
}
