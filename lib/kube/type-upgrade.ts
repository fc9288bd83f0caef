import { isAppError } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { Connection } from './connection.ts';
import { isGiven, parsing, type Raw, record, texts } from './fields.ts';
import { listAll } from './list.ts';
import { objectKey, type Resource } from './resource.ts';
import { group } from './resources.ts';
import type { Writer } from './writer.ts';

export interface TypeUpgradeOptions {
  readonly connection: Connection;
  readonly writer: Writer;
  /** Namespace of MIC. */
  readonly namespace: string;
  /** `--config-map-name`. */
  readonly configMap: string;
  /** `--type-upgrade-status-key`. */
  readonly key: string;
  /** Ours, written as the value of the key. */
  readonly version: string;
  readonly log: Logger;
}

/**
 * `marked`: some MIC has been here before, `by` its version. `nothing`: no object is left to upgrade, and the ConfigMap says so
 * now. `left`: these objects have fields in the letter case of before 1.6.0.
 */
export type TypeUpgrade =
  | { readonly kind: 'marked'; readonly by: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'left'; readonly objects: readonly string[] };

/** How the manifests of before 1.6.0 wrote the fields. */
const oldFields: Readonly<Record<string, readonly string[]>> = {
  azureidentities: ['ClientID', 'ClientPassword', 'ResourceID', 'TenantID'],
  azureidentitybindings: ['AzureIdentity', 'Selector'],
  azurepodidentityexceptions: ['PodLabels'],
};

/**
 * What the original's MIC did once in a cluster's life: it wrote objects of before 1.6.0 anew with their fields in today's letter
 * case, and left its version in a ConfigMap. Under the CRDs of 1.6.0 and later, ours included, there is no such object: the API
 * server leaves out what the schema does not have, and the old fields are lost. So nothing is rewritten here. Under a CRD without
 * a schema the old fields still show; then the ConfigMap is left unmarked and the objects are named, for their owner to apply
 * them anew. Throws as `Connection.json`.
 */
export async function upgradeTypes(options: TypeUpgradeOptions, signal: AbortSignal): Promise<TypeUpgrade> {
  const { key, log } = options;
  const by = await markIn(options, signal);
  if (by !== undefined) return { kind: 'marked', by };
  const objects = await oldObjects(options.connection, signal);
  if (objects.length > 0) {
    const cure = 'apply the CRDs of this release, then these objects again with their fields as documented';
    log.warn({ objects: objects.slice(0, 20), count: objects.length, cure }, 'objects of before 1.6.0 found');
    return { kind: 'left', objects };
  }
  await mark(options, signal);
  log.info({ key }, 'no object of before 1.6.0 found');
  return { kind: 'nothing' };
}

/** Undefined without the ConfigMap or the key. */
async function markIn(options: TypeUpgradeOptions, signal: AbortSignal): Promise<string | undefined> {
  try {
    const raw = await options.writer.send({ path: pathOf(options), lane: 'type-upgrade' }, signal);
    const data = parsing(raw, (object) => texts(object, 'data')) ?? {};
    return data[options.key];
  } catch (error) {
    if (isAppError(error, 'kube-refused') && error.status === 404) return undefined;
    throw error;
  }
}

async function mark(options: TypeUpgradeOptions, signal: AbortSignal): Promise<void> {
  const { writer, namespace, configMap: name, key, version } = options;
  const lane = 'type-upgrade';
  const data = { [key]: version };
  const create = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
  try {
    const path = pathOf({ ...options, configMap: '' });
    await writer.send({ method: 'POST', path, body: create, lane }, signal);
  } catch (error) {
    if (!isAppError(error, 'kube-refused') || error.status !== 409) throw error;
    const contentType = 'application/merge-patch+json';
    await writer.send({ method: 'PATCH', path: pathOf(options), body: { data }, contentType, lane }, signal);
  }
}

function pathOf({ namespace, configMap }: Pick<TypeUpgradeOptions, 'namespace' | 'configMap'>): string {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  return configMap === '' ? collection : `${collection}/${encodeURIComponent(configMap)}`;
}

async function oldObjects(connection: Connection, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [plural, fields] of Object.entries(oldFields)) {
    const { items } = await listAll(connection, oldKind(plural, fields), signal);
    found.push(...items.filter((key) => key !== ''));
  }
  return found;
}

/** Trims each object to its name where it is old, and to '' where it is not. */
function oldKind(name: string, fields: readonly string[]): Resource<string> {
  const isOld = (raw: Raw): boolean => fields.some((field) => isGiven(record(raw, 'spec'), field));
  return {
    name,
    path: `${group}/${name}`,
    parse: (raw) => parsing(raw, (object) => (isOld(object) ? `${name} ${objectKey(object)}` : '')),
  };
}
