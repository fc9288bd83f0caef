import { Agent, type Dispatcher, request } from 'undici';
import { readKubeconfig } from './kubeconfig.ts';

/** Where the API is: the stand-in's unix socket, or a kubeconfig file of the stand-in or of a real cluster. */
export type KubeAddress = { readonly socket: string } | { readonly kubeconfig: string };

export interface Answer {
  readonly status: number;
  /** Parsed when it is JSON, text otherwise. */
  readonly body: unknown;
}

export interface Sending {
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** In place of the client's own; '' sends none. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

/** HTTP to one API server over pooled connections. */
export class Transport {
  readonly #base: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(base: string, token: string, connect: Agent.Options['connect']) {
    this.#base = base;
    this.#token = token;
    // A watch may be silent for as long as it likes.
    this.#agent = new Agent({ ...(connect ? { connect } : {}), bodyTimeout: 0 });
  }

  static async open(address: KubeAddress): Promise<Transport> {
    if ('socket' in address) return new Transport('http://kube', '', { socketPath: address.socket });
    const { server, ca, token } = await readKubeconfig(address.kubeconfig);
    return new Transport(server, token, { ca });
  }

  send(method: string, path: string, sending: Sending): Promise<Dispatcher.ResponseData> {
    const { body, contentType = 'application/json', token = this.#token, signal } = sending;
    return request(this.#base + path, {
      dispatcher: this.#agent,
      method: method as Dispatcher.HttpMethod,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  }

  /** Reads the answer whole. Throws only when there is none. */
  async ask(method: string, path: string, sending: Sending): Promise<Answer> {
    const { statusCode, body } = await this.send(method, path, sending);
    const text = await body.text();
    try {
      return { status: statusCode, body: JSON.parse(text) };
    } catch {
      return { status: statusCode, body: text };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
