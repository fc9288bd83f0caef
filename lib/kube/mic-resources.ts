import type { MicPod } from '../model/assigned-object.ts';
import type { AzureIdentityBinding } from '../model/binding.ts';
import { bindingContent, identityContent } from '../model/content.ts';
import type { AzureIdentity } from '../model/identity.ts';
import { type Embeddable, embeddable } from './embedded.ts';
import { parsing, record, text, texts } from './fields.ts';
import { Interner } from './interner.ts';
import type { Resource } from './resource.ts';
import { azureIdentities, azureIdentityBindings, parseBinding, parseIdentity } from './resources.ts';

/** An AzureIdentity as MIC sees it, with all that writing a copy of it takes. */
export interface MicIdentity extends AzureIdentity, Embeddable {
  /** What its copies are compared by; see lib/model/content.ts. */
  readonly content: string;
}

export interface MicBinding extends AzureIdentityBinding, Embeddable {
  readonly content: string;
}

export interface MicNode {
  readonly name: string;
  /** `spec.providerID`, '' where there is none. */
  readonly providerId: string;
}

/** AzureIdentities of all namespaces, for MIC. */
export const micIdentities: Resource<MicIdentity> = {
  ...azureIdentities,
  parse: (raw) => {
    const identity = parseIdentity(raw);
    const copy = embeddable('AzureIdentity', raw);
    if (!identity || !copy) return undefined;
    return { ...identity, ...copy, content: identityContent(specOf(raw), identity.namespaced) };
  },
};

/** AzureIdentityBindings of all namespaces, for MIC. */
export const micBindings: Resource<MicBinding> = {
  ...azureIdentityBindings,
  parse: (raw) => {
    const binding = parseBinding(raw);
    const copy = embeddable('AzureIdentityBinding', raw);
    return binding && copy && { ...binding, ...copy, content: bindingContent(specOf(raw)) };
  },
};

/** Every pod that has a node, of all namespaces. */
export function assignedPods(): Resource<MicPod> {
  const interner = new Interner();
  return {
    name: 'pods',
    path: '/api/v1/pods',
    query: { fieldSelector: 'spec.nodeName!=' },
    parse: (raw) => parsePod(raw, interner),
  };
}

export const nodes: Resource<MicNode> = {
  name: 'nodes',
  path: '/api/v1/nodes',
  parse: (raw) =>
    parsing(raw, (object) => {
      const name = text(record(object, 'metadata'), 'name');
      return name === '' ? undefined : { name, providerId: text(record(object, 'spec'), 'providerID') };
    }),
};

function parsePod(raw: unknown, interner: Interner): MicPod | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    const phase = text(record(object, 'status'), 'phase');
    const pod: MicPod = {
      namespace: interner.text(text(metadata, 'namespace')),
      name: text(metadata, 'name'),
      uid: text(metadata, 'uid'),
      node: interner.text(text(record(object, 'spec'), 'nodeName')),
      labels: interner.labels(texts(metadata, 'labels')),
      ended: phase === 'Succeeded' || phase === 'Failed',
    };
    const whole = [pod.namespace, pod.name, pod.uid, pod.node].every((field) => field !== '');
    return whole ? pod : undefined;
  });
}

function specOf(raw: unknown): unknown {
  return parsing(raw, (object) => record(object, 'spec'));
}
