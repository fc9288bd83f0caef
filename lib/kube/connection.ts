import type { IncomingHttpHeaders } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, request as send } from 'undici';
import { AppError, isAppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { unlessAborted } from '../platform/wait.ts';
import { Deadline } from './deadline.ts';
import { Pool } from './pool.ts';
import { refusal, unreachable } from './refusal.ts';
import { type Credentials, currentCredentials, type KubeSource, loadSettings } from './settings.ts';

/** RFC 7386 and RFC 6902: the two kinds of patch that the API server takes for custom resources. */
export type ContentType = 'application/json' | 'application/merge-patch+json' | 'application/json-patch+json';

export interface KubeRequest {
  /** GET unless given. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: object;
  /** What kind of JSON the body is: how a PATCH is meant. */
  readonly contentType?: ContentType;
  readonly query?: Readonly<Record<string, string>>;
  /** Ends the request and its body; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long the answer may take to begin, connecting included. 30 s unless given. */
  readonly headersTimeoutMs?: number;
  /** How long its body may be silent. 30 s unless given. */
  readonly bodyTimeoutMs?: number;
}

/** A 2xx answer. Its body must be read or left (break); until then it holds a connection. */
export interface KubeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ConnectionOptions {
  readonly source: KubeSource;
  readonly userAgent: string;
  readonly clock: Clock;
  /** How many connections it opens at most; each watch keeps one. 16 unless given: watches are under ten. */
  readonly connections?: number;
}

const defaultTimeoutMs = 30_000;

/**
 * The one way to the API server. No request is repeated but one that was refused with 401, of which nothing was done: whether
 * more may be repeated depends on what it does, and writer.ts knows that.
 */
export class Connection {
  readonly clock: Clock;
  readonly #source: KubeSource;
  readonly #userAgent: string;
  readonly #pool: Pool;
  #config: KubeConfig;

  /** Throws AppError `kubeconfig-unusable`. Opens nothing yet. */
  constructor(options: ConnectionOptions) {
    this.clock = options.clock;
    this.#source = options.source;
    this.#userAgent = options.userAgent;
    this.#pool = new Pool(options.connections ?? 16);
    this.#config = loadSettings(options.source);
  }

  /**
   * Throws AppError `kube-unreachable`, `kube-timeout`, `kube-refused` (any status but 2xx; a redirect is not followed)
   * or `kubeconfig-unusable`. Errors of the body come while it is read.
   */
  async request(path: string, options: KubeRequest = {}): Promise<KubeResponse> {
    const credentials = await currentCredentials(this.#config, this.#source);
    try {
      return await this.#send(credentials, path, options);
    } catch (error) {
      if (!isAppError(error, 'kube-refused') || error.status !== 401) throw error;
      return await this.#sendWithNewer(credentials, path, options, error);
    }
  }

  /** The whole answer as JSON. Throws as `request`, and AppError `kube-too-large` or `kube-garbled`. */
  async json(path: string, options: KubeRequest & { readonly maxBytes: number }): Promise<unknown> {
    const { body } = await this.request(path, options);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > options.maxBytes) {
        throw new AppError(
          'kube-too-large',
          `the API server's answer to ${path} is over ${options.maxBytes} bytes`,
        );
      }
      chunks.push(chunk);
    }
    return parseJson(chunks, path);
  }

  /** Breaks off whatever is under way and closes every connection. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** After a 401: reads all settings anew (FileAuth keeps a token for 60 s), and tries once more if they differ. */
  async #sendWithNewer(
    old: Credentials,
    path: string,
    options: KubeRequest,
    refused: AppError,
  ): Promise<KubeResponse> {
    this.#config = loadSettings(this.#source);
    const credentials = await currentCredentials(this.#config, this.#source);
    if (isDeepStrictEqual(credentials, old)) throw refused;
    return this.#send(credentials, path, options);
  }

  async #send(credentials: Credentials, path: string, options: KubeRequest): Promise<KubeResponse> {
    const { method = 'GET', headersTimeoutMs = defaultTimeoutMs, bodyTimeoutMs = defaultTimeoutMs } = options;
    const dispatcher = this.#pool.dispatcher(credentials.transport);
    const url = new URL(credentials.baseUrl + path);
    for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
    const content = contentOf(options);
    const headers = {
      accept: 'application/json',
      'user-agent': this.#userAgent,
      ...content.headers,
      ...credentials.headers,
    };
    const deadline = new Deadline(this.clock, options.signal);
    deadline.arm(headersTimeoutMs, () => silent(url, headersTimeoutMs));
    try {
      const own = { dispatcher, signal: deadline.signal, headersTimeout: 0, bodyTimeout: 0 };
      const sent = send(url, { ...own, method, headers, body: content.body });
      const answer = await unlessAborted(sent, deadline.signal);
      const body = guarded(answer.body, url, deadline, bodyTimeoutMs);
      if (answer.statusCode < 200 || answer.statusCode > 299) throw await refusal(path, answer, body);
      return { status: answer.statusCode, headers: answer.headers, body };
    } catch (error) {
      deadline.end();
      throw unreachable(url, deadline.signal, error);
    }
  }
}

function contentOf({ body, contentType = 'application/json' }: KubeRequest): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
} {
  if (body === undefined) return { headers: {}, body: null };
  return { headers: { 'content-type': contentType }, body: JSON.stringify(body) };
}

/** The body under a deadline that every chunk renews. Leaving it early closes the connection under it. */
async function* guarded(
  body: Dispatcher.ResponseData['body'],
  url: URL,
  deadline: Deadline,
  timeoutMs: number,
): AsyncGenerator<Uint8Array> {
  try {
    deadline.arm(timeoutMs, () => silent(url, timeoutMs));
    for await (const chunk of body) {
      deadline.arm(timeoutMs, () => silent(url, timeoutMs));
      yield chunk;
    }
  } catch (error) {
    throw unreachable(url, deadline.signal, error);
  } finally {
    deadline.end();
  }
}

function silent(url: URL, ms: number): AppError {
  return new AppError('kube-timeout', `the API server ${url.host} was silent for ${Math.round(ms / 1000)} s`);
}

/** No cause: a SyntaxError quotes the text, which may be a Secret. */
function parseJson(chunks: readonly Uint8Array[], path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new AppError('kube-garbled', `the API server's answer to ${path} is not JSON`);
  }
}
