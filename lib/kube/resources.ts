import type { AssignmentState, AzureAssignedIdentity } from '../model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../model/binding.ts';
import type { AzurePodIdentityException } from '../model/exception.ts';
import { type AzureIdentity, identityTypes, type ServicePrincipal } from '../model/identity.ts';
import { isGiven, labelSelector, parsing, type Raw, record, strings, text, texts } from './fields.ts';
import type { Resource } from './resource.ts';

/** This node's pods are a longer story: see pods.ts. */
export { podsOfNode } from './pods.ts';

export const group = '/apis/aadpodidentity.k8s.io/v1';

/** AzureIdentities of all namespaces. */
export const azureIdentities: Resource<AzureIdentity> = {
  name: 'azureidentities',
  path: `${group}/azureidentities`,
  parse: parseIdentity,
};

/** AzureIdentityBindings of all namespaces. */
export const azureIdentityBindings: Resource<AzureIdentityBinding> = {
  name: 'azureidentitybindings',
  path: `${group}/azureidentitybindings`,
  parse: parseBinding,
};

/** AzurePodIdentityExceptions of all namespaces. */
export const azurePodIdentityExceptions: Resource<AzurePodIdentityException> = {
  name: 'azurepodidentityexceptions',
  path: `${group}/azurepodidentityexceptions`,
  parse: (raw) =>
    named(raw, (name, spec, annotations) => ({
      ...name,
      podLabels: texts(spec, 'podLabels'),
      matchAll: annotations['aadpodidentity.k8s.io/match'] === 'all',
    })),
};

/**
 * AzureAssignedIdentities of one node by their label `nodename` (`node`), or all of them: MICs before 1.5 set no label.
 */
export function azureAssignedIdentities(node: string | undefined): Resource<AzureAssignedIdentity> {
  return {
    name: 'azureassignedidentities',
    path: `${group}/azureassignedidentities`,
    ...(node !== undefined && { query: { labelSelector: `nodename=${node}` } }),
    parse: (raw) =>
      named(raw, (name, spec) => {
        const identity = parseIdentity(spec.azureIdentityRef);
        const state = assignmentState(text(record(raw as Raw, 'status'), 'status'));
        if (!identity || state === undefined) return undefined;
        const binding = record(spec, 'azureBindingRef');
        const bound = record(binding, 'spec');
        const { namespace, name: bindingName } = nameOf(binding);
        return {
          ...name,
          podNamespace: text(spec, 'podNamespace'),
          pod: text(spec, 'pod'),
          node: text(spec, 'nodename'),
          state,
          identity,
          binding: {
            namespace,
            name: bindingName,
            weight: weightOf(bound),
            selector: text(bound, 'selector'),
          },
        };
      }),
  };
}

export function parseBinding(raw: unknown): AzureIdentityBinding | undefined {
  return named(raw, (name, spec) => ({
    ...name,
    azureIdentity: text(spec, 'azureIdentity'),
    selector: text(spec, 'selector'),
    podSelector: isGiven(spec, 'podSelector') ? labelSelector(record(spec, 'podSelector')) : undefined,
    weight: weightOf(spec),
  }));
}

export function parseIdentity(raw: unknown): AzureIdentity | undefined {
  return named(raw, (name, spec, annotations) => {
    const type = identityType(spec.type);
    const { servicePrincipalSecret, servicePrincipalCertificate } = identityTypes;
    return {
      ...name,
      type,
      clientId: text(spec, 'clientID'),
      resourceId: text(spec, 'resourceID'),
      namespaced: annotations['aadpodidentity.k8s.io/Behavior'] === 'namespaced',
      allowedNamespaces: isGiven(spec, 'allowedNamespaces') ? strings(spec, 'allowedNamespaces') : undefined,
      ...((type === servicePrincipalSecret || type === servicePrincipalCertificate) && {
        servicePrincipal: servicePrincipalOf(name.namespace, spec),
      }),
    };
  });
}

/** `adResourceID` is not read, as the original never did: a token is for the resource that a pod asks for. */
function servicePrincipalOf(own: string, spec: Raw): ServicePrincipal {
  const secret = record(spec, 'clientPassword');
  return {
    tenantId: text(spec, 'tenantID'),
    adEndpoint: text(spec, 'adEndpoint'),
    auxiliaryTenantIds: strings(spec, 'auxiliaryTenantIDs'),
    secret: { namespace: text(secret, 'namespace') || own, name: text(secret, 'name') },
  };
}

/** A state that we do not know is not taken for one that gives a token. */
export function assignmentState(value: string): AssignmentState | undefined {
  return (['', 'Created', 'Assigned', 'Unassigned'] as const).find((state) => state === value);
}

function weightOf({ weight }: Raw): number {
  return Number.isFinite(weight) ? Number(weight) : 0;
}

/** A type that is not a whole number becomes -1, which nothing supports: refused, with its reason, when it is asked for. */
function identityType(value: unknown): number {
  if (value === undefined || value === null) return identityTypes.managedIdentity;
  return Number.isSafeInteger(value) ? Number(value) : -1;
}

export interface Name {
  readonly namespace: string;
  readonly name: string;
}

/**
 * What the API server takes for the names of our objects and their namespaces. Names go into logs whole, and that it looks as
 * closely at an object that is embedded in another is nowhere promised.
 */
export const plainName = /^[a-z0-9][a-z0-9.-]{0,252}$/;

/** Parses an object that has a name and a namespace; a missing spec is an empty one. */
export function named<T>(
  raw: unknown,
  parse: (name: Name, spec: Raw, annotations: Readonly<Record<string, string>>) => T | undefined,
): T | undefined {
  return parsing(raw, (object) => {
    const name = nameOf(object);
    if (!plainName.test(name.namespace) || !plainName.test(name.name)) return undefined;
    return parse(name, record(object, 'spec'), texts(record(object, 'metadata'), 'annotations'));
  });
}

export function nameOf(object: Raw): Name {
  const metadata = record(object, 'metadata');
  return { namespace: text(metadata, 'namespace'), name: text(metadata, 'name') };
}
