interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Namespace, then name: an order that does not depend on when the objects came. */
export function byKey(a: Named, b: Named): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name);
}

/** By code unit: the same on every machine, whatever its locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
