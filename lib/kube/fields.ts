import type { LabelSelector } from '../model/label-selector.ts';
import { isRecord } from './resource.ts';

/** A field of the wrong type. Thrown by the readers below and caught by {@link parsing}; goes no further. */
class WrongType extends Error {}

export type Raw = Readonly<Record<string, unknown>>;

/** Runs a parse of one object; undefined where a reader below met a wrong type. */
export function parsing<T>(raw: unknown, parse: (raw: Raw) => T | undefined): T | undefined {
  try {
    return isRecord(raw) ? parse(raw) : undefined;
  } catch (error) {
    if (error instanceof WrongType) return undefined;
    throw error;
  }
}

/** A string field; '' where it is absent or null, which to Go's decoder are the same. */
export function text(raw: Raw, field: string): string {
  const value = raw[field] ?? '';
  if (typeof value !== 'string') throw new WrongType();
  return value;
}

/** An object field; {} where it is absent or null. */
export function record(raw: Raw, field: string): Raw {
  const value = raw[field] ?? {};
  if (!isRecord(value)) throw new WrongType();
  return value;
}

/** An array of objects; [] where it is absent or null. */
export function records(raw: Raw, field: string): readonly Raw[] {
  const value = raw[field] ?? [];
  if (!Array.isArray(value) || !value.every(isRecord)) throw new WrongType();
  return value;
}

/** A boolean field; false where it is absent or null. */
export function flag(raw: Raw, field: string): boolean {
  const value = raw[field] ?? false;
  if (typeof value !== 'boolean') throw new WrongType();
  return value;
}

/** Labels and the like. Without a prototype: people choose the keys, and `__proto__` or `constructor` must be mere keys. */
export function texts(raw: Raw, field: string): Readonly<Record<string, string>> {
  const source = record(raw, field);
  const copy: Record<string, string> = Object.create(null);
  for (const key of Object.keys(source)) copy[key] = text(source, key);
  return copy;
}

/** A field that is there and not null. */
export function isGiven(raw: Raw, field: string): boolean {
  return (raw[field] ?? null) !== null;
}

/** An array of strings; [] where it is absent or null. */
export function strings(raw: Raw, field: string): readonly string[] {
  const value = raw[field] ?? [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw new WrongType();
  return value;
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** A standard label selector. An operator that we do not know makes it wrong: a guess could select what nobody meant. */
export function labelSelector(raw: Raw): LabelSelector {
  const matchExpressions = records(raw, 'matchExpressions').map((each) => {
    const operator = operators.find((name) => name === text(each, 'operator'));
    const values = strings(each, 'values');
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (!operator || text(each, 'key') === '' || needsValues !== values.length > 0) throw new WrongType();
    return { key: text(each, 'key'), operator, values };
  });
  return { matchLabels: texts(raw, 'matchLabels'), matchExpressions };
}
