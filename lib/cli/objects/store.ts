import type { Connection, KubeRequest } from '../../kube/connection.ts';
import { answerIn } from '../../kube/get.ts';
import { isRecord, metadataOf } from '../../kube/resource.ts';
import { group } from '../../kube/resources.ts';
import { AppError, isAppError } from '../../model/errors.ts';
import { podKey } from '../../model/pod.ts';
import type { Manifest } from './manifest.ts';

/** What became of an object. `differs`: it is there and says something else, and was left alone. */
export type Put = 'created' | 'unchanged' | 'changed' | 'differs';

/** A field that is not as asked. */
export interface Difference {
  /** `spec.clientID` */
  readonly field: string;
  readonly is: unknown;
  readonly asked: unknown;
}

export interface PutResult {
  readonly manifest: Manifest;
  readonly put: Put;
  readonly differences: readonly Difference[];
}

export interface PutOptions {
  /** Change what is there and says something else. */
  readonly overwrite: boolean;
  readonly signal: AbortSignal;
}

const maxBytes = 4 * 1024 * 1024;
const plurals = {
  AzureIdentity: 'azureidentities',
  AzureIdentityBinding: 'azureidentitybindings',
  AzurePodIdentityException: 'azurepodidentityexceptions',
} as const;

type Place = Pick<Manifest, 'kind' | 'metadata'>;

/** `AzureIdentity my-app/demo`, as it is told to people. */
export function titleOf({ kind, metadata }: Place): string {
  return `${kind} ${podKey(metadata)}`;
}

/**
 * Makes the object, unless it is there as asked: the same call twice does no more than once. Fields that were not asked for stay
 * as they are. Throws as `Connection.json`, with the API server's own sentence where it refuses.
 */
export async function put(
  connection: Connection,
  manifest: Manifest,
  { overwrite, signal }: PutOptions,
): Promise<PutResult> {
  const raw = await find(connection, manifest, signal);
  const result = (put: Put, differences: readonly Difference[] = []): PutResult => ({
    manifest,
    put,
    differences,
  });
  if (raw === undefined) {
    const path = pathOf({ ...manifest, metadata: { ...manifest.metadata, name: '' } });
    await ask(connection, path, { method: 'POST', body: manifest, signal });
    return result('created');
  }
  const differences = differencesOf(raw, manifest);
  if (differences.length === 0) return result('unchanged');
  if (!overwrite) return result('differs', differences);
  await change(connection, raw, manifest, signal);
  return result('changed', differences);
}

/** Undefined where there is none. */
export async function find(connection: Connection, place: Place, signal: AbortSignal): Promise<unknown> {
  try {
    return await ask(connection, pathOf(place), { signal });
  } catch (error) {
    if (answerIn(error).kind === 'absent') return undefined;
    throw error;
  }
}

/** False where there was none. Names no version: what is to go goes, whatever it says by now. */
export async function remove(connection: Connection, place: Place, signal: AbortSignal): Promise<boolean> {
  try {
    await ask(connection, pathOf(place), { method: 'DELETE', signal });
    return true;
  } catch (error) {
    if (answerIn(error).kind === 'absent') return false;
    throw error;
  }
}

/** The error, with what was done before it: half of something is there, or gone. */
export function after(done: readonly string[], error: unknown): unknown {
  if (!isAppError(error) || done.length === 0) return error;
  const { code, status } = error;
  const message = `${done.join(', ')}; then: ${error.message}`;
  return new AppError(code, message, { cause: error, ...(status !== undefined && { status }) });
}

async function change(
  connection: Connection,
  raw: unknown,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const { resourceVersion } = metadataOf(raw);
  const spec = patchOf(specOf(raw), manifest.spec);
  const body = { metadata: { resourceVersion }, spec };
  const contentType = 'application/merge-patch+json';
  await ask(connection, pathOf(manifest), { method: 'PATCH', body, contentType, signal });
}

/** A merge patch adds to a map: keys that are to go are named with null. */
function patchOf(
  is: Readonly<Record<string, unknown>>,
  asked: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const fields = Object.entries(asked).map(([field, value]) => {
    const before = is[field];
    if (!isRecord(value) || !isRecord(before)) return [field, value];
    const gone = Object.keys(before).filter((key) => !Object.hasOwn(value, key));
    return [field, { ...value, ...Object.fromEntries(gone.map((key) => [key, null])) }];
  });
  return Object.fromEntries(fields);
}

function differencesOf(raw: unknown, { spec }: Manifest): Difference[] {
  const is = specOf(raw);
  return Object.entries(spec)
    .filter(([field, asked]) => comparable(field, is[field]) !== comparable(field, asked))
    .map(([field, asked]) => ({ field: `spec.${field}`, is: is[field], asked }));
}

/** ARM ids and GUIDs are equal in any letter case, names and labels are not; absent is Go's zero. */
function comparable(field: string, value: unknown): string {
  const text = isRecord(value) ? JSON.stringify(Object.entries(value).sort()) : String(value || '');
  return field === 'resourceID' || field === 'clientID' ? text.toLowerCase() : text;
}

function specOf(raw: unknown): Readonly<Record<string, unknown>> {
  return isRecord(raw) && isRecord(raw.spec) ? raw.spec : {};
}

function pathOf({ kind, metadata: { namespace, name } }: Place): string {
  const collection = `${group}/namespaces/${encodeURIComponent(namespace)}/${plurals[kind]}`;
  return name === '' ? collection : `${collection}/${encodeURIComponent(name)}`;
}

/** The API server's sentence says what a status does not: which right is missing, that there is no such namespace. */
async function ask(connection: Connection, path: string, request: KubeRequest): Promise<unknown> {
  try {
    return await connection.json(path, { ...request, maxBytes });
  } catch (error) {
    if (!isAppError(error, 'kube-refused') || !error.answer?.body) throw error;
    const { answer, status = 0 } = error;
    throw new AppError('kube-refused', answer.body, { status, answer, cause: error });
  }
}
