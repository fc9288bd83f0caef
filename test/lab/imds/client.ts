import { request } from 'node:http';
import type { ImdsCommands, ImdsLog } from './control.ts';
import type { Fault, Settings, VmIdentity } from './types.ts';

/** Steers a simulator that runs as its own process. Every call rejects when the process does not answer within 5 s. */
export interface ImdsClient {
  log(): Promise<ImdsLog>;
  clear(): Promise<void>;
  assign(...identities: readonly VmIdentity[]): Promise<void>;
  unassign(...clientIds: readonly string[]): Promise<void>;
  fault(...faults: readonly Fault[]): Promise<void>;
  clearFaults(): Promise<void>;
  configure(settings: Partial<Settings>): Promise<void>;
}

/** `socketPath` is DIR/imds.sock of `main.ts`. */
export function imdsClient(socketPath: string): ImdsClient {
  const post = async <Path extends keyof ImdsCommands>(
    path: Path,
    body: ImdsCommands[Path],
  ): Promise<void> => {
    await call(socketPath, 'POST', path, body);
  };
  return {
    log: async () => (await call(socketPath, 'GET', '/log')) as ImdsLog,
    clear: () => post('/clear', {}),
    assign: (...identities) => post('/identities', { assign: identities }),
    unassign: (...clientIds) => post('/identities', { unassign: clientIds }),
    fault: (...faults) => post('/faults', { add: faults }),
    clearFaults: () => post('/faults', { clear: true }),
    configure: (settings) => post('/settings', settings),
  };
}

function call(socketPath: string, method: string, path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, agent: false, signal: AbortSignal.timeout(5000) } as const;
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`imds ${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
