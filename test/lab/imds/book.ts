import type { Vm } from './answers.ts';
import type { ParsedRequest } from './parser.ts';
import type { NormalTarget } from './target.ts';
import type { ConnectionRecord, Fault, IssuedToken, RequestRecord, Settings, VmIdentity } from './types.ts';

/** Older records are let go beyond this many; `seq` and `connection` keep counting. */
const kept = 100_000;
const rawKept = 16_384;

/** A record whose outcome is still to be written. */
export type OpenRecord = { -readonly [K in keyof RequestRecord]: RequestRecord[K] };

/** All that the simulator knows: the VM's identities, the faults in wait, and what has happened. */
export class Book {
  settings: Settings;
  #identities: VmIdentity[];
  #faults: { fault: Fault; left: number }[] = [];
  #connections: ConnectionRecord[] = [];
  #requests: OpenRecord[] = [];
  #lastConnection = 0;
  #lastRequest = 0;
  #inFlight = 0;

  constructor(identities: readonly VmIdentity[], settings: Settings) {
    this.#identities = [...identities];
    this.settings = settings;
  }

  vm(): Vm {
    return { identities: this.#identities, settings: this.settings, now: Date.now() };
  }

  /** Makes the identity usable on this VM; one with the same client id is replaced. */
  assign(identity: VmIdentity): void {
    this.unassign(identity.clientId);
    this.#identities.push(identity);
  }

  unassign(clientId: string): void {
    this.#identities = this.#identities.filter((identity) => identity.clientId !== clientId);
  }

  addFault(fault: Fault): void {
    this.#faults.push({ fault, left: fault.count ?? 1 });
  }

  clearFaults(): void {
    this.#faults = [];
  }

  /** The first fault in wait for this path, used up by one. */
  takeFault(path: string): Fault | undefined {
    const entry = this.#faults.find(({ fault }) => path.startsWith(fault.path ?? ''));
    if (!entry) return undefined;
    entry.left -= 1;
    this.#faults = this.#faults.filter(({ left }) => left > 0);
    return entry.fault;
  }

  connected(remoteAddress: string, remotePort: number): ConnectionRecord {
    const record = { connection: ++this.#lastConnection, remoteAddress, remotePort, at: Date.now() };
    keep(this.#connections, record);
    return record;
  }

  arrived(from: ConnectionRecord, request: ParsedRequest, { path, query }: NormalTarget): OpenRecord {
    const { connection, remoteAddress, remotePort } = from;
    const raw = request.raw.toString('latin1', 0, rawKept);
    const record: OpenRecord = {
      ...{
        seq: ++this.#lastRequest,
        connection,
        remoteAddress,
        remotePort,
        at: Date.now(),
        inFlight: ++this.#inFlight,
      },
      ...{ raw, method: request.method, target: request.target, path: request.wellFormed ? path : '', query },
      headerNames: request.headers.map(([name]) => name),
      userAgent: request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1] ?? '',
      bodyBytes: request.body.length,
      answered: undefined,
      issued: undefined,
    };
    keep(this.#requests, record);
    return record;
  }

  finished(): void {
    this.#inFlight -= 1;
  }

  connections(): readonly ConnectionRecord[] {
    return [...this.#connections];
  }

  requests(): readonly RequestRecord[] {
    return this.#requests.map((record) => ({ ...record }));
  }

  issued(): readonly IssuedToken[] {
    return this.#requests.flatMap(({ issued }) => issued ?? []);
  }

  clear(): void {
    this.#connections = [];
    this.#requests = [];
  }
}

function keep<T>(list: T[], record: T): void {
  list.push(record);
  if (list.length > kept * 1.1) list.splice(0, list.length - kept);
}
