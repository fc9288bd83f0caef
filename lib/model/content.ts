/** Fields in which an empty value says something else than none: it allows no namespace, it selects every pod. */
const tellingEmpty: ReadonlySet<string> = new Set(['allowedNamespaces', 'podSelector']);

/**
 * The spec of an AzureIdentity as text that is equal where two copies mean the same: MIC compares an identity with the copy of
 * it in an assignment. The original's Go writes `""`, `0`, `null` and `{}` for what is absent, and absent is what they count
 * for here. `namespaced` is the annotation, the only metadata that has a meaning.
 */
export function identityContent(spec: unknown, namespaced: boolean): string {
  return `${namespaced ? 'namespaced ' : ''}${contentOf(spec)}`;
}

/** The same of the spec of an AzureIdentityBinding. */
export function bindingContent(spec: unknown): string {
  return contentOf(spec);
}

function contentOf(spec: unknown): string {
  return canonical(spec, false) ?? '';
}

/** JSON with its keys in order; undefined for what counts as absent. */
function canonical(value: unknown, tells: boolean): string | undefined {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item, true) ?? JSON.stringify(item));
    return items.length > 0 || tells ? `[${items.join()}]` : undefined;
  }
  if (typeof value !== 'object' || value === null) return value ? JSON.stringify(value) : undefined;
  const fields = Object.entries(value)
    .map(([key, field]) => [key, canonical(field, tellingEmpty.has(key))] as const)
    .filter(([, text]) => text !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  return fields.length > 0 || tells ? `{${fields.join()}}` : undefined;
}
