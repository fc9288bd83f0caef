import {
  type AssignedObject,
  assignmentAnnotations,
  assignmentFinalizer,
  assignmentNodeLabel,
} from '../model/assigned-object.ts';
import { bindingContent, identityContent } from '../model/content.ts';
import type { AzureIdentity } from '../model/identity.ts';
import { parseTime } from '../platform/clock.ts';
import { type Raw, record, strings, text, texts } from './fields.ts';
import { Interner } from './interner.ts';
import type { Resource } from './resource.ts';
import { assignmentState, azureAssignedIdentities, named, nameOf, parseIdentity } from './resources.ts';

/** Every AzureAssignedIdentity, for MIC. What thousands of them have in common is kept once. */
export function micAssigned(): Resource<AssignedObject> {
  const interner = new Interner();
  return { ...azureAssignedIdentities(undefined), parse: (raw) => parseAssigned(raw, interner) };
}

/**
 * MIC has to understand whatever stands under the name of one. A state that we do not know is one in which no token is given,
 * and a copy that cannot be read is one of nothing: the object counts as there, and as different from whatever it should be, so
 * that it is mended or deleted.
 */
export function parseAssigned(raw: unknown, interner = new Interner()): AssignedObject | undefined {
  return named(raw, (name, spec, annotations) => {
    const object = raw as Raw;
    const metadata = record(object, 'metadata');
    return {
      namespace: interner.text(name.namespace),
      name: name.name,
      uid: text(metadata, 'uid'),
      resourceVersion: text(metadata, 'resourceVersion'),
      podNamespace: interner.text(text(spec, 'podNamespace')),
      pod: text(spec, 'pod'),
      node: interner.text(text(spec, 'nodename')),
      state: assignmentState(text(record(object, 'status'), 'status')) ?? 'Created',
      ...identityIn(spec, interner),
      ...bindingIn(spec, interner),
      hasFinalizer: strings(metadata, 'finalizers').includes(assignmentFinalizer),
      deleting: text(metadata, 'deletionTimestamp') !== '',
      label: interner.text(texts(metadata, 'labels')[assignmentNodeLabel] ?? ''),
      machine: interner.text(annotations[assignmentAnnotations.machine] ?? ''),
      unassignSinceMs: timeIn(annotations[assignmentAnnotations.unassignSince]),
      lastUsedMs: timeIn(annotations[assignmentAnnotations.lastUsed]),
    };
  });
}

const unreadable = {
  identity: {
    namespace: '',
    name: '',
    type: -1,
    clientId: '',
    resourceId: '',
    namespaced: false,
    allowedNamespaces: undefined,
  } satisfies AzureIdentity,
  identityContent: 'unreadable',
};

function identityIn(spec: Raw, interner: Interner): Pick<AssignedObject, 'identity' | 'identityContent'> {
  const identity = parseIdentity(spec.azureIdentityRef);
  if (!identity) return unreadable;
  const content = identityContent(record(record(spec, 'azureIdentityRef'), 'spec'), identity.namespaced);
  const key = `${identity.namespace}/${identity.name} ${content}`;
  return interner.shared('identity', key, () => ({ identity, identityContent: content }));
}

function bindingIn(spec: Raw, interner: Interner): Pick<AssignedObject, 'binding' | 'bindingContent'> {
  const raw = record(spec, 'azureBindingRef');
  const binding = nameOf(raw);
  const content = bindingContent(record(raw, 'spec'));
  const key = `${binding.namespace}/${binding.name} ${content}`;
  return interner.shared('binding', key, () => ({ binding, bindingContent: content }));
}

function timeIn(value = ''): number | undefined {
  const time = parseTime(value);
  return Number.isNaN(time) ? undefined : time;
}
