import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Book } from './book.ts';
import { serve } from './connection.ts';
import { sampleSystemIdentity } from './token.ts';
import type { ConnectionRecord, Fault, IssuedToken, RequestRecord, Settings, VmIdentity } from './types.ts';

export interface ImdsOptions extends Partial<Settings> {
  /** 127.0.0.1 unless said. */
  readonly host?: string;
  /** 0, a free one, unless said. */
  readonly port?: number;
  /** The user-assigned identities of the VM; none unless said. */
  readonly identities?: readonly VmIdentity[];
}

export interface Imds {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
  /** Every request since the last `clear`, in order of arrival. */
  log(): readonly RequestRecord[];
  /** Every connection since the last `clear`, also those without a request. */
  connections(): readonly ConnectionRecord[];
  /** Every token handed out since the last `clear`. */
  tokensIssued(): readonly IssuedToken[];
  /** Forgets what happened; identities, settings and faults stay. */
  clear(): void;
  assign(...identities: readonly VmIdentity[]): void;
  unassign(...clientIds: readonly string[]): void;
  fault(...faults: readonly Fault[]): void;
  clearFaults(): void;
  configure(settings: Partial<Settings>): void;
  /** Ends every connection and the listener. */
  close(): Promise<void>;
}

const defaults = (): Settings => ({
  latencyMs: 0,
  tokenLifetimeSec: 86_400,
  systemAssigned: sampleSystemIdentity(),
});

/** An IMDS that listens on a TCP port of this process. Rejects when the address cannot be had. */
export async function startImds(options: ImdsOptions = {}): Promise<Imds> {
  const { host = '127.0.0.1', port = 0, identities = [], ...settings } = options;
  const book = new Book(identities, { ...defaults(), ...settings });
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, book);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return { host, port: bound, url: `http://${host}:${bound}`, close, ...controls(book) };
}

function controls(book: Book): Omit<Imds, 'host' | 'port' | 'url' | 'close'> {
  return {
    log: () => book.requests(),
    connections: () => book.connections(),
    tokensIssued: () => book.issued(),
    clear: () => book.clear(),
    assign: (...identities) => {
      for (const identity of identities) book.assign(identity);
    },
    unassign: (...clientIds) => {
      for (const clientId of clientIds) book.unassign(clientId);
    },
    fault: (...faults) => {
      for (const fault of faults) book.addFault(fault);
    },
    clearFaults: () => book.clearFaults(),
    configure: (settings) => {
      book.settings = { ...book.settings, ...settings };
    },
  };
}
