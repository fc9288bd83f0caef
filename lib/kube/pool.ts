import type { ConnectionOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { DispatcherOptions } from '@kubernetes/client-node';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { AppError } from '../model/errors.ts';

/** HTTP/1.1 only, so that one silent connection silences one watch, not all of them. */
const limits = { allowH2: false, keepAliveTimeout: 30_000 } as const;

/** TCP keep-alive below the idle limits of cloud load balancers (60 s and more), as client-go has it. */
const socket = { keepAlive: true, keepAliveInitialDelay: 30_000, timeout: 10_000 } as const;

/** The one dispatcher to the API server; a new one only when CA, client certificate or proxy have changed. */
export class Pool {
  readonly #open = new Set<Dispatcher>();
  readonly #most: number;
  #current: { readonly transport: DispatcherOptions; readonly dispatcher: Dispatcher } | undefined;

  /** `most`: connections at once. Each watch keeps one. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Throws AppError `kubeconfig-unusable` for a transport that we do not speak. */
  dispatcher(transport: DispatcherOptions): Dispatcher {
    if (this.#current && isDeepStrictEqual(this.#current.transport, transport))
      return this.#current.dispatcher;
    const dispatcher = create(transport, this.#most);
    if (this.#current) this.#retire(this.#current.dispatcher);
    this.#current = { transport, dispatcher };
    this.#open.add(dispatcher);
    return dispatcher;
  }

  /** Breaks off whatever is under way and closes every connection. */
  async close(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    this.#current = undefined;
    await Promise.all(open.map((dispatcher) => dispatcher.destroy()));
  }

  /** Requests that run on the old dispatcher end in peace; a watch moves over when its time is up. */
  #retire(old: Dispatcher): void {
    const gone = (): void => void this.#open.delete(old);
    old.close().then(gone, gone);
  }
}

function create(transport: DispatcherOptions, connections: number): Dispatcher {
  switch (transport.type) {
    case 'agent':
      return new Agent({ ...limits, connections, connect: { ...tlsOf(transport.connect), ...socket } });
    case 'none':
      return new Agent({ ...limits, connections, connect: { ...tlsOf({}), ...socket } });
    case 'proxy':
      return new ProxyAgent({
        ...limits,
        connections,
        uri: transport.uri,
        requestTls: tlsOf(transport.requestTls),
        connect: socket,
      });
    case 'socks':
      throw new AppError(
        'kubeconfig-unusable',
        'the kubeconfig asks for a SOCKS proxy, which is not supported',
      );
  }
}

type Tls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;

/** Only the kubeconfig may turn verification off, not NODE_TLS_REJECT_UNAUTHORIZED. */
function tlsOf({ ca, cert, key, servername, rejectUnauthorized = true }: Tls): Tls {
  const names = servername ? { servername } : {};
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...names, rejectUnauthorized };
}
