import type { AzureIdentityBinding } from '../model/binding.ts';
import type { AzurePodIdentityException } from '../model/exception.ts';
import { type AzureIdentity, identityTypes } from '../model/identity.ts';
import { parsing, record, text, texts } from './fields.ts';
import type { Resource } from './resource.ts';

/** This node's pods are a longer story: see pods.ts. */
export { podsOfNode } from './pods.ts';

const group = '/apis/aadpodidentity.k8s.io/v1';

/** AzureIdentities of all namespaces. */
export const azureIdentities: Resource<AzureIdentity> = {
  name: 'azureidentities',
  path: `${group}/azureidentities`,
  parse: (raw) =>
    named(raw, (name, spec) => ({
      ...name,
      type: identityType(spec.type),
      clientId: text(spec, 'clientID'),
      resourceId: text(spec, 'resourceID'),
    })),
};

/** AzureIdentityBindings of all namespaces. */
export const azureIdentityBindings: Resource<AzureIdentityBinding> = {
  name: 'azureidentitybindings',
  path: `${group}/azureidentitybindings`,
  parse: (raw) =>
    named(raw, (name, spec) => ({
      ...name,
      azureIdentity: text(spec, 'azureIdentity'),
      selector: text(spec, 'selector'),
      weight: Number.isFinite(spec.weight) ? Number(spec.weight) : 0,
    })),
};

/** AzurePodIdentityExceptions of all namespaces. */
export const azurePodIdentityExceptions: Resource<AzurePodIdentityException> = {
  name: 'azurepodidentityexceptions',
  path: `${group}/azurepodidentityexceptions`,
  parse: (raw) => named(raw, (name, spec) => ({ ...name, podLabels: texts(spec, 'podLabels') })),
};

/** A type that is not a whole number becomes -1, which nothing supports: refused, with its reason, when it is asked for. */
function identityType(value: unknown): number {
  if (value === undefined || value === null) return identityTypes.managedIdentity;
  return Number.isSafeInteger(value) ? Number(value) : -1;
}

interface Name {
  readonly namespace: string;
  readonly name: string;
}

/** Parses an object that has a name and a namespace; a missing spec is an empty one. */
function named<T>(
  raw: unknown,
  parse: (name: Name, spec: Readonly<Record<string, unknown>>) => T,
): T | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    const name = { namespace: text(metadata, 'namespace'), name: text(metadata, 'name') };
    return name.namespace === '' || name.name === '' ? undefined : parse(name, record(object, 'spec'));
  });
}
