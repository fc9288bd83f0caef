import { resourceIdOf } from '../../assign/resource-id.ts';
import { plainName } from '../../kube/resources.ts';
import { identityTypes } from '../../model/identity.ts';
import { usageError } from '../arguments.ts';

/** An object of ours as it is applied. */
export interface Manifest {
  readonly apiVersion: 'aadpodidentity.k8s.io/v1';
  readonly kind: 'AzureIdentity' | 'AzureIdentityBinding' | 'AzurePodIdentityException';
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What `az aks pod-identity add` was told, and the client id. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  /** ARM id of the managed identity. */
  readonly resourceId: string;
  readonly clientId: string;
  /** The name unless given. */
  readonly selector: string;
}

const apiVersion = 'aadpodidentity.k8s.io/v1';
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const labelValue = /^[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$/i;
const labelKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$/i;

/** The binding that goes with an identity, by the name that AKS's add-on gave it. */
export function bindingNameOf(identity: string): string {
  return `${identity}-binding`;
}

/** The identity and its binding, as AKS's add-on made them. Throws AppError `flag-invalid` for what nothing could come of. */
export function podIdentityManifests({
  namespace,
  name,
  resourceId,
  clientId,
  selector,
}: PodIdentity): readonly [Manifest, Manifest] {
  checkName(name);
  checkName(bindingNameOf(name));
  if (resourceIdOf(resourceId) === undefined) {
    const form =
      '/subscriptions/…/resourcegroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME';
    throw usageError(`--identity-resource-id takes the ARM id of a managed identity: ${form}`);
  }
  if (!guid.test(clientId)) throw usageError('--client-id takes a GUID');
  if (!labelValue.test(selector))
    throw usageError('--binding-selector takes the value of a label: up to 63 letters, digits, -, _ and .');
  const spec = { type: identityTypes.managedIdentity, resourceID: resourceId, clientID: clientId };
  return [
    { apiVersion, kind: 'AzureIdentity', metadata: { namespace, name }, spec },
    {
      apiVersion,
      kind: 'AzureIdentityBinding',
      metadata: { namespace, name: bindingNameOf(name) },
      spec: { azureIdentity: name, selector },
    },
  ];
}

/** Throws AppError `flag-invalid`. */
export function exceptionManifest(
  place: { readonly namespace: string; readonly name: string },
  podLabels: Readonly<Record<string, string>>,
): Manifest {
  checkName(place.name);
  return { apiVersion, kind: 'AzurePodIdentityException', metadata: place, spec: { podLabels } };
}

/** `key=value` pairs, with commas or blanks between, as az takes them. Throws AppError `flag-invalid`. */
export function podLabelsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  const pairs = texts.flatMap((text) => text.split(/[\s,]+/)).filter((text) => text !== '');
  if (pairs.length === 0) throw usageError('--pod-labels is needed: key=value of the pods to be excepted');
  const labels: Record<string, string> = Object.create(null);
  for (const pair of pairs) {
    const [, key = '', value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
    if (!labelKey.test(key) || (value !== '' && !labelValue.test(value)))
      throw usageError(`--pod-labels: ${JSON.stringify(pair)} is not key=value of a label`);
    labels[key] = value;
  }
  return labels;
}

/** Throws AppError `flag-invalid`. */
export function checkName(name: string): void {
  if (name === '') throw usageError('--name is needed');
  if (!plainName.test(name))
    throw usageError(`--name: ${JSON.stringify(name)} is no name that Kubernetes takes`);
}
