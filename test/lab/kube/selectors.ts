import type { Kind } from './kinds.ts';
import { type Json, type KubeObject, textAt } from './object.ts';
import { badRequest } from './status.ts';

export type Filter = (object: KubeObject) => boolean;

/** Both selectors of a list or watch as one filter. Throws 400 as the API server does. */
export function parseSelectors(kind: Kind, query: URLSearchParams): Filter {
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '');
  const byField = parseFieldSelector(kind, query.get('fieldSelector') ?? '');
  return (object) => byLabel(object) && byField(object);
}

const labelName = /^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/;

function parseLabelSelector(text: string): Filter {
  const tests = splitOutsideParentheses(text).map(parseRequirement);
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

function parseRequirement(text: string): LabelTest {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) return valueTest(set[1] ?? '', (set[3] ?? '').split(','), set[2] === 'in');
  const equality = /^([^!=\s]+)\s*(==|=|!=)\s*([^!=\s]*)$/.exec(text);
  if (equality) return valueTest(equality[1] ?? '', [equality[3] ?? ''], equality[2] !== '!=');
  const existence = /^(!?)\s*([^!=\s]+)$/.exec(text);
  if (!existence) throw badRequest(`unable to parse requirement: ${text}`);
  const key = checkKey(existence[2] ?? '');
  return (labels) => Object.hasOwn(labels, key) === (existence[1] === '');
}

/** `!=` and `notin` hold for an object without the label, too. */
function valueTest(name: string, rawValues: readonly string[], wanted: boolean): LabelTest {
  const key = checkKey(name);
  const values = rawValues.map((value) => value.trim());
  for (const value of values) {
    if (value.length > 63 || !labelValue.test(value)) throw badRequest(`invalid label value: "${value}"`);
  }
  return (labels) => (Object.hasOwn(labels, key) && values.includes(labels[key] ?? '')) === wanted;
}

function checkKey(key: string): string {
  if (!labelName.test(key)) throw badRequest(`unable to parse requirement: invalid label key "${key}"`);
  return key;
}

function parseFieldSelector(kind: Kind, text: string): Filter {
  const known = ['metadata.name', ...(kind.namespaced ? ['metadata.namespace'] : []), ...kind.fields];
  const tests = text
    .split(',')
    .filter(Boolean)
    .map((term) => {
      const match = /^([^!=]+)(==|=|!=)(.*)$/.exec(term);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, field = '', operator, value] = match;
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return (object: Json): boolean => (textAt(object, field) === value) === (operator !== '!=');
    });
  return (object) => tests.every((test) => test(object));
}

/** `a in (b,c),d` is two requirements. */
function splitOutsideParentheses(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);
}
