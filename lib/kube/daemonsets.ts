import type { NodeLabels, NodeRequirement, NodeSelector, NodeSelectorTerm } from '../model/node-selector.ts';
import type { DaemonSet } from '../model/ownership.ts';
import { isGiven, parsing, type Raw, record, records, strings, text, texts } from './fields.ts';
import type { Resource } from './resource.ts';

/** The DaemonSets of a namespace. */
export function daemonSetsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/daemonsets`;
}

/** The one DaemonSet of that name, whatever its UID. */
export function daemonSetNamed(namespace: string, name: string): Resource<DaemonSet> {
  return {
    name: 'daemonsets',
    path: daemonSetsPath(namespace),
    query: { fieldSelector: `metadata.name=${name}` },
    parse: parseDaemonSet,
  };
}

/** Undefined for what is no DaemonSet. One whose selector we do not understand is one all the same: it is there. */
export function parseDaemonSet(raw: unknown): DaemonSet | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    const [namespace, name, uid] = [
      text(metadata, 'namespace'),
      text(metadata, 'name'),
      text(metadata, 'uid'),
    ];
    if (namespace === '' || name === '' || uid === '') return undefined;
    return { namespace, name, uid, deleting: isDeleting(object), selector: parsing(object, selectorOf) };
  });
}

/** Of any object: it is marked for deletion. */
export function isDeleting(raw: unknown): boolean {
  const marked = parsing(raw, (object) => text(record(object, 'metadata'), 'deletionTimestamp') !== '');
  return marked ?? false;
}

export function parseNode(raw: unknown): NodeLabels | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    return { name: text(metadata, 'name'), labels: texts(metadata, 'labels') };
  });
}

function selectorOf(daemonset: Raw): NodeSelector {
  const spec = record(record(record(daemonset, 'spec'), 'template'), 'spec');
  const affinity = record(record(spec, 'affinity'), 'nodeAffinity');
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const terms = isGiven(affinity, required)
    ? records(record(affinity, required), 'nodeSelectorTerms').map(termOf)
    : undefined;
  return { labels: texts(spec, 'nodeSelector'), terms };
}

function termOf(term: Raw): NodeSelectorTerm {
  return {
    matchExpressions: records(term, 'matchExpressions').map(requirementOf),
    matchFields: records(term, 'matchFields').map(requirementOf),
  };
}

function requirementOf(raw: Raw): NodeRequirement {
  return { key: text(raw, 'key'), operator: text(raw, 'operator'), values: strings(raw, 'values') };
}
