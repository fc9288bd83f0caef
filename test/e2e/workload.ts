import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../lab/eventually.ts';
import { claimsOf } from '../lab/imds/token.ts';
import type { VmIdentity } from '../lab/imds/types.ts';
import type { KubeInput, KubeObject } from '../lab/kube/object.ts';
import type { Kubectl } from './kubectl.ts';
import { asNode, pod as asPod } from './passing.ts';
import { long } from './patience.ts';

export const image = 'docker.io/library/pod-identity:dev';
/** Where the scenarios' pods live. */
export const namespace = 'e2e';
export const tokenUrl =
  'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net';

const programs = ['ask.ts', 'load.ts'] as const;
const folder = '/e2e';

export interface PodOptions {
  /** The pod's `aadpodidbinding`. */
  readonly binding?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Any unless said. */
  readonly node?: string | undefined;
  readonly hostNetwork?: boolean;
  /** It may reach IMDS with its own User-Agent, because it passes as the node. */
  readonly passes?: boolean;
  /** What an init container runs first: the arguments of pod/ask.ts. */
  readonly first?: readonly string[];
  /** What it runs: a program of pod/ with its arguments; unless said, it waits to be told by `ask`. */
  readonly runs?: readonly string[];
}

/** What a pod was answered; `client` is whose token it got, '' for none. */
export interface Answered {
  readonly status: number;
  readonly client: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: string;
}

/** The namespace, with the programs that its pods run. */
export function grounds(): KubeInput[] {
  const data = Object.fromEntries(
    programs.map((name) => [name, readFileSync(join(import.meta.dirname, 'pod', name), 'utf8')]),
  );
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'programs', namespace }, data },
  ];
}

export function podObject(name: string, options: PodOptions = {}): KubeInput {
  const { labels, binding, node, runs } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { ...labels, ...(binding && { aadpodidbinding: binding }) } },
    spec: {
      ...(node && { nodeSelector: { 'kubernetes.io/hostname': node } }),
      ...podSpec(name, options),
      containers: [container(name, options, runs ? program(runs) : ['sleep', 'infinity'])],
    },
  };
}

/** One that asks once, as a user's Job does. */
export function jobObject(name: string, binding: string, ...asks: readonly string[]): KubeInput {
  const template = {
    metadata: { labels: { aadpodidbinding: binding } },
    spec: {
      ...{ ...podSpec(name, {}), restartPolicy: 'Never' },
      containers: [container(name, {}, program(['ask.ts', ...asks]))],
    },
  };
  const metadata = { name, namespace };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { backoffLimit: 0, template } };
}

function podSpec(name: string, { hostNetwork = false, first, ...options }: PodOptions): object {
  const asked = first && [{ ...container(name, options, program(['ask.ts', ...first])), name: 'first' }];
  return {
    ...{ hostNetwork, automountServiceAccountToken: false, terminationGracePeriodSeconds: 1 },
    volumes: [{ name: 'programs', configMap: { name: 'programs' } }],
    ...(asked && { initContainers: asked }),
  };
}

function container(name: string, { passes = false }: PodOptions, command: readonly string[]): object {
  return {
    ...{ name: 'app', image, imagePullPolicy: 'IfNotPresent', command },
    env: [{ name: 'E2E_USER_AGENT', value: `${passes ? asNode : asPod}${name}` }],
    volumeMounts: [{ name: 'programs', mountPath: folder }],
  };
}

function program([file, ...args]: readonly string[]): string[] {
  return ['node', `${folder}/${file}`, ...args];
}

/** Makes the pod and waits until it runs. */
export async function startPod(kubectl: Kubectl, name: string, options: PodOptions = {}): Promise<void> {
  await kubectl.apply(podObject(name, options));
  await eventually(
    `pod ${name} is ready`,
    async () => isReady(await kubectl.get('pod', name, namespace)),
    long,
  );
}

/** They go while the run goes on: no two scenarios call a pod alike. */
export async function removePods(kubectl: Kubectl, ...names: readonly string[]): Promise<void> {
  await kubectl.delete('pod', ...names, '-n', namespace, '--wait=false');
}

export function isReady(pod: KubeObject | undefined): boolean {
  const conditions = (pod?.status?.conditions ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Twenty tries, each of which is held for 8 s, ms. */
const askMs = 240_000;

/** Has the pod ask for a token, or for `args[0]`; see pod/ask.ts. */
export async function ask(kubectl: Kubectl, name: string, ...args: readonly string[]): Promise<Answered> {
  const [url = tokenUrl, ...more] = args;
  const command = ['sh', '-c', '"$@" || true', '-', ...program(['ask.ts', url, ...more])];
  const said = await kubectl.exec(namespace, name, command, askMs);
  return answeredIn(said);
}

/** What the container was answered that has run pod/ask.ts and ended. */
export function answeredBy(pod: KubeObject | undefined, which: 'first' | 'app'): Answered {
  const { initContainerStatuses = [], containerStatuses = [] } = (pod?.status ?? {}) as Readonly<
    Record<
      string,
      readonly { readonly name: string; readonly state: { terminated?: { message?: string } } }[]
    >
  >;
  const found = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === which);
  return answeredIn(found?.state.terminated?.message ?? '{"status":0,"error":"no message"}');
}

/** What pod/ask.ts has printed. */
function answeredIn(said: string): Answered {
  const { status, body = {}, headers = {}, error = '' } = JSON.parse(said) as Omit<Answered, 'client'>;
  const token = typeof body === 'object' ? tokenIn(body) : '';
  const client = token === '' ? '' : String(claimsOf(token).appid);
  return { status, body, headers, error, client };
}

/** Throws with the reason unless a token of this identity came. */
export function assertToken(
  { status, client, body, error }: Answered,
  identity: VmIdentity | undefined,
): void {
  const why = error || String(body.error_description ?? JSON.stringify(body).slice(0, 200));
  assert.equal(status, 200, `no token: ${status} ${why}`);
  assert.equal(client, identity?.clientId, "the token is another identity's");
}

/** Of IMDS's own answer, or of `/host/token`'s. */
function tokenIn(body: Answered['body']): string {
  const { access_token: token } = (body.token ?? body) as { readonly access_token?: unknown };
  return typeof token === 'string' ? token : '';
}
