import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../../lib/platform/clock.ts';
import { type Answer, Answers, claimsIn, refuse } from './answers.ts';
import { Azure, type ImdsDoor } from './azure.ts';
import { Book } from './book.ts';
import type { ArmFault, ArmMachine, ArmRecord, ArmSettings, MachineView, ManagedIdentity } from './types.ts';

export interface ArmOptions {
  /** 127.0.0.1 unless said. */
  readonly host?: string;
  /** 0, a free one, unless said. */
  readonly port?: number;
  /** PEM; plain HTTP unless said. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** By which operations and tokens end; the system's unless said. */
  readonly clock?: Clock;
  /** Of the machine that has `hasImds`. */
  readonly imds?: ImdsDoor;
}

/** Steers the simulator; what `armClient` does from another process. */
export interface ArmControl {
  createIdentities(...identities: readonly ManagedIdentity[]): Promise<void>;
  deleteIdentities(...resourceIds: readonly string[]): Promise<void>;
  addMachines(...machines: readonly ArmMachine[]): Promise<void>;
  removeMachines(...ids: readonly string[]): Promise<void>;
  /** Undefined where there is none. */
  machine(id: string): Promise<MachineView | undefined>;
  fault(...faults: readonly ArmFault[]): Promise<void>;
  clearFaults(): Promise<void>;
  configure(settings: Partial<ArmSettings>): Promise<void>;
  log(): Promise<readonly ArmRecord[]>;
  /** Forgets what was asked. */
  clear(): Promise<void>;
}

export interface ArmSimulator extends ArmControl {
  readonly port: number;
  /** What a cloud's ARM endpoint is. */
  readonly origin: string;
  close(): Promise<void>;
}

/** Azure Resource Manager, as far as VMs and scale sets and their identities go. */
export async function startArm(options: ArmOptions = {}): Promise<ArmSimulator> {
  const { host = '127.0.0.1', port = 0, tls, clock = systemClock, imds } = options;
  const azure = new Azure(clock, imds);
  const book = new Book();
  const answers = new Answers(azure, book, clock);
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve({ answers, book, scheme: tls ? 'https' : 'http' }, request, response).catch(() =>
      response.destroy(),
    );
  };
  const server = tls ? createHttps(tls, listener) : createHttp(listener);
  server.listen(port, host);
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const origin = `${tls ? 'https' : 'http'}://${host}:${bound}`;
  return { port: bound, origin, close, ...controls(azure, book) };
}

function controls(azure: Azure, book: Book): ArmControl {
  return {
    createIdentities: async (...identities) => azure.createIdentities(...identities),
    deleteIdentities: (...ids) => azure.deleteIdentities(...ids),
    addMachines: async (...machines) => {
      for (const machine of machines) await azure.addMachine(machine);
    },
    removeMachines: async (...ids) => {
      for (const id of ids) azure.removeMachine(id);
    },
    machine: async (id) => azure.view(id),
    fault: async (...faults) => book.fault(...faults),
    clearFaults: async () => book.clearFaults(),
    configure: async (settings) => {
      book.settings = { ...book.settings, ...settings };
    },
    log: async () => [...book.records],
    clear: async () => {
      book.records = [];
    },
  };
}

interface Server {
  readonly answers: Answers;
  readonly book: Book;
  readonly scheme: string;
}

async function serve(
  { answers, book, scheme }: Server,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = '', headers } = request;
  const url = new URL(request.url ?? '', `${scheme}://${headers.host}`);
  const body = Buffer.concat(chunks).toString();
  const fault = book.takeFault(method, url.pathname);
  const authorization = headers.authorization ?? '';
  const fails = fault?.kind === 'fails' ? fault : undefined;
  const answer = instead(fault) ?? answers.answer({ method, url, body, authorization, fails });
  const status = fault?.kind === 'hang' || fault?.kind === 'reset' ? fault.kind : answer.status;
  const isMachine = /\/(virtualmachines|virtualmachinescalesets)\/[^/]+$/i.test(url.pathname);
  book.records.push({
    ...{ method, path: url.pathname, body, status },
    machine: isMachine ? decodeURIComponent(url.pathname).toLowerCase() : '',
    apiVersion: url.searchParams.get('api-version') ?? '',
    userAgent: headers['user-agent'] ?? '',
    correlationId: String(headers['x-ms-correlation-request-id'] ?? ''),
    caller: String(claimsIn(authorization).appid ?? ''),
  });
  if (status === 'reset') request.socket.resetAndDestroy();
  if (typeof status === 'string') return;
  const own = { 'content-type': 'application/json; charset=utf-8', 'x-ms-request-id': 'lab' };
  response.writeHead(answer.status, { ...own, ...answer.headers }).end(answer.body);
}

/** What a fault answers; undefined for the right answer. */
function instead(fault: ArmFault | undefined): Answer | undefined {
  if (!fault || fault.kind === 'fails') return undefined;
  if (fault.kind === 'garbage') return { status: 200, body: fault.body ?? '<html>' };
  if (fault.kind !== 'status') return { status: 0, body: '' };
  const { status, code = 'InternalServerError', message = `lab fault ${status}`, headers = {} } = fault;
  return refuse({ status, code, message, headers });
}
