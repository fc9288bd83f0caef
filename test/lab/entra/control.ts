import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Directory } from './directory.ts';
import type { App, EntraFault, EntraRecord } from './types.ts';

/** Steers a simulator that runs as its own process. Every call rejects when the process does not answer within 5 s. */
export interface EntraClient {
  /** What an `adEndpoint` says, and `--allowed-ad-endpoints`. */
  readonly origin: string;
  /** The file that NODE_EXTRA_CA_CERTS of whoever asks it must name. */
  readonly caFile: string;
  register(...apps: readonly App[]): Promise<void>;
  fault(...faults: readonly EntraFault[]): Promise<void>;
  log(): Promise<readonly EntraRecord[]>;
}

/** HTTP with JSON bodies over a unix socket, which no network namespace confines. Resolves with the function that ends it. */
export async function serveControl(directory: Directory, socketPath: string): Promise<() => Promise<void>> {
  const server = createServer((asked, response) => {
    obey(directory, asked)
      .then((answer) => end(response, 200, answer))
      .catch((error: unknown) => end(response, 400, { error: String(error) }));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}

async function obey(directory: Directory, asked: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of asked) chunks.push(chunk as Buffer);
  const items = JSON.parse(Buffer.concat(chunks).toString() || '[]');
  if (asked.url === '/log') return directory.records;
  if (asked.url === '/apps') return directory.register(...(items as App[])) ?? {};
  if (asked.url === '/faults') return directory.fault(...(items as EntraFault[])) ?? {};
  throw new Error(`no such call: ${asked.url}`);
}

function end(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** `socketPath` is DIR/entra.sock of `main.ts`. */
export function entraClient(socketPath: string, where: Pick<EntraClient, 'origin' | 'caFile'>): EntraClient {
  const call = (path: string, items: readonly unknown[] = []): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const options = { socketPath, method: 'POST', path, agent: false, signal: AbortSignal.timeout(5000) };
      const sent = request(options, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`entra ${path}: ${response.statusCode} ${text}`));
      });
      sent.on('error', reject);
      sent.end(JSON.stringify(items));
    });
  return {
    ...where,
    register: async (...apps) => void (await call('/apps', apps)),
    fault: async (...faults) => void (await call('/faults', faults)),
    log: async () => (await call('/log')) as readonly EntraRecord[],
  };
}
