import { readFileSync } from 'node:fs';
import type { AgentOptions, RequestOptions } from 'node:https';
import { dirname } from 'node:path';
import {
  type DispatcherOptions,
  KubeConfig,
  loadYaml,
  makeAbsolutePath,
  type User,
} from '@kubernetes/client-node';
import { AppError } from '../model/errors.ts';

/** Where the connection settings come from. Reading the environment is bin's work. */
export type KubeSource =
  | {
      readonly kind: 'kubeconfig';
      readonly path: string;
      /** The file's current one unless said. */
      readonly context?: string;
    }
  | {
      readonly kind: 'in-cluster';
      /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
      readonly host: string;
      readonly port: string;
      /** Folder with `token` and `ca.crt`; the service account's mount unless a test says otherwise. */
      readonly dir?: string;
    };

const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What one request needs: where to, as whom, over which kind of transport. Holds secrets: never log it. */
export interface Credentials {
  /** Without a trailing slash; may hold a path (Rancher's API servers do). */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly transport: DispatcherOptions;
}

/**
 * Throws AppError `kubeconfig-unusable` with one sentence. No cause is attached anywhere in this file: a YAML error quotes
 * the lines around it, and a credential plugin's error may quote the credential.
 */
export function loadSettings(source: KubeSource): KubeConfig {
  const config = source.kind === 'kubeconfig' ? fromFile(source.path) : fromCluster(source);
  const what = nameOf(source);
  if (source.kind === 'kubeconfig' && source.context !== undefined) useContext(config, source.context, what);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw unusable(`${what} has no current context with a cluster`);
  if (!config.getCurrentUser()) throw unusable(`${what} has no user in its current context`);
  const protocol = URL.canParse(cluster.server) ? new URL(cluster.server).protocol : '';
  if (protocol !== 'https:' && !(protocol === 'http:' && cluster.skipTLSVerify)) {
    throw unusable(`${what} names a server that is not an https URL`);
  }
  return config;
}

/**
 * The credentials for the next request: KubeConfig reads CA and client certificate files anew at every call, and a token
 * file when it was last read more than 60 s ago. Throws AppError `kubeconfig-unusable`.
 */
export async function currentCredentials(config: KubeConfig, source: KubeSource): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  const options: RequestOptions & AgentOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {}))
      headers[name.toLowerCase()] = String(value).trim();
    if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const transport = config.createDispatcherOptions(cluster, options);
    return { baseUrl: cluster?.server.replace(/\/+$/, '') ?? '', headers, transport };
  } catch (error) {
    throw unusable(`${nameOf(source)}: its credentials cannot be read${codeOf(error)}`);
  }
}

function fromFile(path: string): KubeConfig {
  const text = readText(path);
  const raw = parseYaml(path, text);
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch (error) {
    throw unusable(`kubeconfig ${path} is incomplete${missingIn(error)}`);
  }
  config.users = config.users.map((user) => withTokenFile(user, raw, dirname(path)));
  config.makePathsAbsolute(dirname(path));
  return config;
}

function useContext(config: KubeConfig, name: string, what: string): void {
  if (!config.getContextObject(name)) throw unusable(`${what} has no context ${name}`);
  config.setCurrentContext(name);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`kubeconfig ${path} cannot be read${codeOf(error)}`);
  }
}

interface RawUsers {
  readonly users?: readonly {
    readonly name?: unknown;
    readonly user?: { readonly tokenFile?: unknown } | null;
  }[];
}

function parseYaml(path: string, text: string): RawUsers {
  try {
    const raw: unknown = loadYaml(text);
    if (typeof raw === 'object' && raw !== null) return raw as RawUsers;
  } catch {
    // Told below.
  }
  throw unusable(`kubeconfig ${path} is not YAML`);
}

/** KubeConfig 2.0.1 knows no `tokenFile`, and would go on as nobody; kubectl prefers it to `token`. */
function withTokenFile(user: User, raw: RawUsers, root: string): User {
  const file = raw.users?.find((entry) => entry.name === user.name)?.user?.tokenFile;
  if (typeof file !== 'string') return user;
  const { token: _replaced, ...others } = user;
  const config = { tokenFile: makeAbsolutePath(root, file) };
  return { ...others, authProvider: { name: 'tokenFile', config } };
}

/** As `KubeConfig.loadFromCluster`, which reads the environment itself and takes port 8080 for plain http. */
function fromCluster(source: Extract<KubeSource, { kind: 'in-cluster' }>): KubeConfig {
  const { host, port, dir = serviceAccountDir } = source;
  if (!host || !port)
    throw unusable('no kubeconfig is given and KUBERNETES_SERVICE_HOST and _PORT are not set');
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'in-cluster', server, caFile: `${dir}/ca.crt`, skipTLSVerify: false },
    { name: 'service-account', authProvider: { name: 'tokenFile', config: { tokenFile: `${dir}/token` } } },
  );
  return config;
}

function nameOf(source: KubeSource): string {
  return source.kind === 'kubeconfig' ? `kubeconfig ${source.path}` : 'the in-cluster configuration';
}

/** KubeConfig's own sentences such as "users[0].name is missing" hold no content; anything else is left out. */
function missingIn(error: unknown): string {
  return error instanceof Error && /^[\w.[\]]+ is missing$/.test(error.message) ? `: ${error.message}` : '';
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}

function unusable(message: string): AppError {
  return new AppError('kubeconfig-unusable', message);
}
