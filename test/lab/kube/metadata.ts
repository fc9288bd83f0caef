import type { Kind } from './kinds.ts';
import type { KubeObject, Metadata } from './object.ts';
import { type Cause, invalid } from './status.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const bad = (field: string, value: unknown, why: string): Cause => ({
  field: `metadata.${field}`,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});

/** Name, labels, annotations and finalizers of any object. Throws 422 with every fault. */
export function checkMetadata(kind: Kind, { metadata }: KubeObject): void {
  const { name, labels = {}, annotations = {}, finalizers = [] } = metadata;
  if (!name) {
    const message = 'Required value: name or generateName is required';
    throw invalid(kind, '', [{ field: 'metadata.name', reason: 'FieldValueRequired', message }]);
  }
  const form = kind.kind === 'Namespace' ? dnsLabel : subdomain;
  const causes: Cause[] = [];
  if (name.length > 253 || !form.test(name)) {
    causes.push(
      bad('name', name, 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters'),
    );
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!qualifiedName.test(key))
      causes.push(bad('labels', key, 'name part must consist of alphanumeric characters'));
    if (!labelValue.test(value))
      causes.push(bad('labels', value, 'a valid label must be 63 characters or less'));
  }
  for (const key of Object.keys(annotations)) {
    if (!qualifiedName.test(key.toLowerCase()))
      causes.push(bad('annotations', key, 'name part must be qualified'));
  }
  for (const key of finalizers) {
    if (!qualifiedName.test(key)) causes.push(bad('finalizers', key, 'name part must be qualified'));
  }
  if (causes.length > 0) throw invalid(kind, name, causes);
}

/** Five random characters, as the server appends to `generateName`; its alphabet has no vowels. */
export function generatedName(prefix: string): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const letters = crypto.getRandomValues(new Uint8Array(5));
  return prefix + Array.from(letters, (letter) => alphabet[letter % alphabet.length]).join('');
}

const keptFields = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;

/** The metadata of an update: server-owned fields are filled in when absent and refused when changed. */
export function updatedMetadata(kind: Kind, old: Metadata, asked: Metadata): Metadata {
  const { managedFields: _managed, selfLink: _link, generation: _generation, ...metadata } = asked;
  const causes: Cause[] = [];
  for (const field of keptFields) {
    if ((asked[field] ?? old[field]) !== old[field])
      causes.push(bad(field, asked[field], 'field is immutable'));
  }
  const added = (asked.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer));
  if (old.deletionTimestamp && added.length > 0) {
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{"${added.join('", "')}"}`;
    causes.push({
      field: 'metadata.finalizers',
      reason: 'FieldValueForbidden',
      message: `Forbidden: ${why}`,
    });
  }
  if (causes.length > 0) throw invalid(kind, old.name, causes);
  const kept = Object.fromEntries(
    [...keptFields, 'generation', 'namespace']
      .filter((field) => old[field] !== undefined)
      .map((f) => [f, old[f]]),
  );
  return { ...metadata, ...kept, name: old.name };
}
