import { type LabelRequirement, selects } from './label-selector.ts';

/** One requirement of a node selector. An operator that we do not know is kept as it came: nobody can tell what it asks. */
export interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** All of a term must hold; one without any requirement matches no node. */
export interface NodeSelectorTerm {
  readonly matchExpressions: readonly NodeRequirement[];
  /** About `metadata.name`, the only field that Kubernetes knows here. */
  readonly matchFields: readonly NodeRequirement[];
}

/** Where a pod may run. Source: core/v1 PodSpec. */
export interface NodeSelector {
  /** `nodeSelector`: labels that the node must have. */
  readonly labels: Readonly<Record<string, string>>;
  /** The node affinity that scheduling requires: alternatives, of which one must hold; undefined where nothing is required. */
  readonly terms: readonly NodeSelectorTerm[] | undefined;
}

/** Source: core/v1 Node. */
export interface NodeLabels {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Undefined: cannot tell. */
type Truth = boolean | undefined;

/** Whether the node is one of those where the pod may run; undefined where an unknown operator or field decides it. */
export function fitsNode({ labels, terms }: NodeSelector, node: NodeLabels): boolean | undefined {
  const hasLabels = selects({ matchLabels: labels, matchExpressions: [] }, node.labels);
  return every([hasLabels, terms === undefined || some(terms.map((term) => termHolds(term, node)))]);
}

function termHolds({ matchExpressions, matchFields }: NodeSelectorTerm, node: NodeLabels): Truth {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const name = { 'metadata.name': node.name };
  return every([
    ...matchExpressions.map((requirement) => holds(requirement, node.labels)),
    ...matchFields.map((field) => (field.key === 'metadata.name' ? holds(field, name) : undefined)),
  ]);
}

function holds({ key, operator, values }: NodeRequirement, labels: NodeLabels['labels']): Truth {
  if (isSetOperator(operator))
    return selects({ matchLabels: {}, matchExpressions: [{ key, operator, values }] }, labels);
  if (operator !== 'Gt' && operator !== 'Lt') return undefined;
  const [value, bound] = [integer(Object.hasOwn(labels, key) ? labels[key] : ''), integer(values[0])];
  if (value === undefined || bound === undefined || values.length !== 1) return false;
  return operator === 'Gt' ? value > bound : value < bound;
}

function isSetOperator(operator: string): operator is LabelRequirement['operator'] {
  return ['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator);
}

const largest = 2n ** 63n - 1n;

/** As Kubernetes reads it for Gt and Lt: an int64. No label value begins with a sign. */
function integer(text = ''): bigint | undefined {
  const number = /^\d{1,63}$/.test(text) ? BigInt(text) : undefined;
  return number !== undefined && number <= largest ? number : undefined;
}

function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

function some(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(undefined) ? undefined : false;
}
