import { V1MicroTime } from '@kubernetes/client-node';
import type { AssignmentState } from '../model/assigned-identity.ts';
import {
  type AssignmentMarks,
  assignmentAnnotations,
  assignmentFinalizer,
  assignmentNodeLabel,
} from '../model/assigned-object.ts';
import type { Embeddable } from './embedded.ts';
import { type Raw, record, strings, text, texts } from './fields.ts';

/** What an AzureAssignedIdentity is to say. Binding and identity are copied whole. */
export interface Assignment {
  readonly namespace: string;
  readonly name: string;
  readonly podNamespace: string;
  readonly pod: string;
  /** Also the value of the label. */
  readonly node: string;
  readonly binding: Pick<Embeddable, 'json'>;
  readonly identity: Pick<Embeddable, 'json'>;
}

export type WrittenState = Exclude<AssignmentState, ''>;

const typed = { apiVersion: 'aadpodidentity.k8s.io/v1', kind: 'AzureAssignedIdentity' } as const;

/** A new object, as the original's MIC makes it, and our annotations. */
export function newBody(assignment: Assignment, marks: AssignmentMarks): Raw {
  const { namespace, name, node } = assignment;
  return {
    ...typed,
    metadata: {
      namespace,
      name,
      labels: { [assignmentNodeLabel]: node },
      annotations: given(annotationsOf(marks)),
      finalizers: [assignmentFinalizer],
    },
    spec: specOf(assignment),
    status: statusOf('Created'),
  };
}

/** The object as it is, saying something else. What others have put into its metadata stays. */
export function changedBody(
  fresh: Raw,
  assignment: Assignment,
  { state, marks }: { readonly state: WrittenState; readonly marks: AssignmentMarks },
): Raw {
  const { managedFields: _bookkeeping, ...metadata } = record(fresh, 'metadata');
  const finalizers = strings(metadata, 'finalizers');
  return {
    ...fresh,
    ...typed,
    metadata: {
      ...metadata,
      labels: { ...texts(metadata, 'labels'), [assignmentNodeLabel]: assignment.node },
      annotations: given({ ...texts(metadata, 'annotations'), ...annotationsOf(marks) }),
      finalizers: [...new Set([...finalizers, assignmentFinalizer])],
    },
    spec: specOf(assignment),
    status: { ...record(fresh, 'status'), ...statusOf(state) },
  };
}

/** A merge patch that sets the state, void for any other object or version than these. */
export function statePatch(
  { uid, resourceVersion }: { readonly uid: string; readonly resourceVersion: string },
  state: WrittenState,
  marks: AssignmentMarks,
): Raw {
  return { metadata: { uid, resourceVersion, annotations: annotationsOf(marks) }, status: { status: state } };
}

/** The same assignment under another name, in state Unassigned: it stands for an identity that is still on a machine. */
export function formerBody(fresh: Raw, name: string, marks: AssignmentMarks): Raw {
  const metadata = record(fresh, 'metadata');
  return {
    ...typed,
    metadata: {
      namespace: text(metadata, 'namespace'),
      name,
      labels: texts(metadata, 'labels'),
      annotations: given(annotationsOf(marks)),
      finalizers: [assignmentFinalizer],
    },
    spec: record(fresh, 'spec'),
    status: statusOf('Unassigned'),
  };
}

function specOf({ podNamespace, pod, node, binding, identity }: Assignment): Raw {
  return {
    azureIdentityRef: JSON.parse(identity.json),
    azureBindingRef: JSON.parse(binding.json),
    pod,
    podNamespace,
    nodename: node,
    replicas: null,
  };
}

function statusOf(state: WrittenState): Raw {
  return { status: state, availableReplicas: 1 };
}

/** Null for a mark that is not there, which a merge patch takes away. */
function annotationsOf({
  machine,
  unassignSinceMs,
  lastUsedMs,
}: AssignmentMarks): Record<string, string | null> {
  return {
    [assignmentAnnotations.machine]: machine || null,
    [assignmentAnnotations.unassignSince]: timeOf(unassignSinceMs),
    [assignmentAnnotations.lastUsed]: timeOf(lastUsedMs),
  };
}

function given(annotations: Readonly<Record<string, string | null>>): Raw {
  return Object.fromEntries(Object.entries(annotations).filter(([, value]) => value !== null));
}

/** RFC 3339. */
function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new V1MicroTime(ms).toISOString();
}
