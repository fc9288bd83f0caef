import { eventually } from '../eventually.ts';
import type { Fault } from './faults.ts';
import type { LoggedRequest } from './handler.ts';
import { kindNamed, pathOf } from './kinds.ts';
import { isJson, type KubeInput, type KubeObject } from './object.ts';
import { type Answer, type KubeAddress, type Sending, Transport } from './transport.ts';

/** One event of a watch. */
export interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/** Absent namespace: `default` for what has namespaces. */
export interface KubeTarget {
  readonly namespace?: string;
  readonly subresource?: 'status';
}

/** An answer that was not 2xx. */
export class KubeError extends Error {
  readonly status: number;
  /** The Status' `reason`, '' when there is none. */
  readonly reason: string;

  constructor(what: string, { status, body }: Answer) {
    const said = isJson(body) ? body : { message: body };
    super(`${what}: ${status} ${said.message}`);
    this.status = status;
    this.reason = String(said.reason ?? '');
  }
}

/** Opens a client; close it, or its connections keep the process for some seconds. */
export async function connectKube(address: KubeAddress): Promise<KubeClient> {
  return new KubeClient(await Transport.open(address));
}

/** What tests, the lab and the demo need of the Kubernetes API. Kinds are named as `Pod` or `pods`; see kinds.ts. */
export class KubeClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One request as it is, whatever the answer's status. */
  request(method: string, path: string, sending: Sending = {}): Promise<Answer> {
    return this.#transport.ask(method, path, sending);
  }

  create(object: KubeInput): Promise<KubeObject> {
    return this.#expect('POST', pathOf(kindNamed(object.kind), namespaceOf(object)), { body: object });
  }

  /** PUT; `metadata.resourceVersion` guards against a change in between. */
  update(object: KubeInput, { subresource }: Pick<KubeTarget, 'subresource'> = {}): Promise<KubeObject> {
    const path = pathOf(kindNamed(object.kind), namespaceOf(object), object.metadata.name, subresource);
    return this.#expect('PUT', path, { body: object });
  }

  /** `type`: merge-patch (by default), json-patch or strategic-merge-patch. */
  patch(
    kind: string,
    name: string,
    patch: unknown,
    target: KubeTarget & { type?: string } = {},
  ): Promise<KubeObject> {
    const contentType = `application/${target.type ?? 'merge-patch'}+json`;
    return this.#expect('PATCH', pathIn(kind, name, target), { body: patch, contentType });
  }

  /** Makes the object be like this: its namespace, the object, and its status where that has its own door. */
  async apply(object: KubeInput): Promise<KubeObject> {
    const { kind, metadata, status } = object;
    const { name = '' } = metadata;
    const namespace = namespaceOf(object);
    const target = namespace ? { namespace } : {};
    if (namespace) await this.ensureNamespace(namespace);
    const applied = (await this.get(kind, name, target))
      ? await this.patch(kind, name, object, target)
      : await this.create(object);
    if (!kindNamed(kind).status || !status) return applied;
    return this.patch(kind, name, { status }, { ...target, subresource: 'status' });
  }

  async ensureNamespace(name: string): Promise<void> {
    if (await this.get('Namespace', name)) return;
    const answer = await this.request('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    if (answer.status !== 409) checked(`create namespace ${name}`, answer);
  }

  /** Undefined when there is none. */
  async get(kind: string, name: string, target: KubeTarget = {}): Promise<KubeObject | undefined> {
    const path = pathIn(kind, name, target);
    const answer = await this.request('GET', path);
    return answer.status === 404 ? undefined : checked(`GET ${path}`, answer);
  }

  /** All pages. Without a namespace, of all namespaces. `query`: labelSelector, fieldSelector, limit. */
  async list(
    kind: string,
    namespace?: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<KubeObject[]> {
    const items: KubeObject[] = [];
    let next = '';
    do {
      const page = new URLSearchParams({ ...query, ...(next ? { continue: next } : {}) });
      const list = await this.#expect('GET', `${pathOf(kindNamed(kind), namespace)}?${page}`);
      items.push(...(list.items as KubeObject[]));
      next = String(list.metadata.continue ?? '');
    } while (next);
    return items;
  }

  /** Removes; fine when there is none. `gracePeriodSeconds: 0` takes a pod away at once. */
  async delete(
    kind: string,
    name: string,
    { gracePeriodSeconds, ...target }: KubeTarget & { gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const path = pathIn(kind, name, target);
    const sending = gracePeriodSeconds === undefined ? {} : { body: { gracePeriodSeconds } };
    const answer = await this.request('DELETE', path, sending);
    if (answer.status !== 404) checked(`DELETE ${path}`, answer);
  }

  /**
   * Watches until the server ends it, `signal` aborts or the caller breaks off. Throws KubeError when it is refused.
   * `query`: resourceVersion, labelSelector, fieldSelector, timeoutSeconds, allowWatchBookmarks.
   */
  async *watch(
    kind: string,
    namespace: string | undefined,
    query: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const path = `${pathOf(kindNamed(kind), namespace)}?${new URLSearchParams({ watch: 'true', ...query })}`;
    const { statusCode, body } = await this.#transport.send('GET', path, signal ? { signal } : {});
    if (statusCode !== 200) {
      throw new KubeError(`watch ${path}`, { status: statusCode, body: await body.json() });
    }
    let rest = '';
    try {
      for await (const chunk of body.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as WatchEvent;
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  /** Waits until `condition` holds for an object (undefined while there is none) and returns it. */
  async waitFor(
    kind: string,
    name: string,
    condition: (object: KubeObject | undefined) => boolean,
    { withinMs = 20_000, ...target }: KubeTarget & { withinMs?: number } = {},
  ): Promise<KubeObject | undefined> {
    const look = async (): Promise<{ object: KubeObject | undefined } | undefined> => {
      const object = await this.get(kind, name, target);
      return condition(object) ? { object } : undefined;
    };
    return (await eventually(`${kind} ${name} is as wanted`, look, { withinMs })).object;
  }

  /** Stand-in only, over the unix socket: asks for a fault. */
  async fault(fault: Fault): Promise<void> {
    checked('fault', await this.request('POST', '/lab/faults', { body: fault }));
  }

  /** Stand-in only, over the unix socket: what has come in so far. */
  async requests(): Promise<LoggedRequest[]> {
    return checked('requests', await this.request('GET', '/lab/requests')) as unknown as LoggedRequest[];
  }

  /** Stand-in only, over the unix socket. */
  async clearRequests(): Promise<void> {
    checked('requests', await this.request('DELETE', '/lab/requests'));
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #expect(method: string, path: string, sending: Sending = {}): Promise<KubeObject> {
    return checked(`${method} ${path}`, await this.request(method, path, sending));
  }
}

function checked(what: string, answer: Answer): KubeObject {
  if (answer.status < 200 || answer.status > 299) throw new KubeError(what, answer);
  return answer.body as KubeObject;
}

function scopeOf(kind: string, namespace: string | undefined): string | undefined {
  return kindNamed(kind).namespaced ? (namespace ?? 'default') : undefined;
}

const namespaceOf = ({ kind, metadata }: KubeInput): string | undefined => scopeOf(kind, metadata.namespace);

function pathIn(kind: string, name: string, { namespace, subresource }: KubeTarget): string {
  return pathOf(kindNamed(kind), scopeOf(kind, namespace), name, subresource);
}
