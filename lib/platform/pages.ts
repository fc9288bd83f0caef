import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { AppError } from '../model/errors.ts';
import type { Clock } from './clock.ts';
import { orphanNone } from './linger.ts';
import type { Logger } from './log.ts';
import { patientOpen } from './patient-open.ts';
import { PerAddress } from './per-address.ts';

export interface Page {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

const limits = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 } as const;
/** Pods can reach these ports too: whatever one of them holds open, the kubelet's own address keeps its share. */
const mostPerAddress = 8;
/** For who has its page to read it, ms. Let go of, a page of metrics stayed with the kernel for minutes (measured). */
const lingerMs = 5_000;

/** Small GET-only pages for probes and scrapers, by exact path; a query is ignored. Throws AppError `listen-failed`. */
export async function servePages(
  port: number,
  pages: Pages,
  clock: Clock,
): Promise<{ port: number; close(): void }> {
  const server: Server = createServer(limits, (req, res) => {
    const page = pageFor(pages, req);
    Promise.resolve()
      .then(page)
      .catch(() => ({ status: 500, body: 'failed\n' }))
      .then(({ status, body, type = 'text/plain; charset=utf-8' }: Page) => {
        res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
      })
      .catch(() => res.destroy());
  });
  server.timeout = limits.requestTimeout;
  orphanNone(server, clock, lingerMs);
  // One page a connection: pages that were pipelined and not read filled the memory until the agent ended (measured).
  server.maxRequestsPerSocket = 1;
  const perAddress = new PerAddress(mostPerAddress);
  server.on('connection', (socket) => {
    if (!perAddress.admit(socket)) socket.destroy();
  });
  try {
    server.listen(port);
    await once(server, 'listening');
  } catch (error) {
    throw new AppError('listen-failed', `cannot listen on port ${port}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Serves the pages until `ending` aborts; beside a predecessor, as soon as that has left the port. */
export async function keepPages(
  port: number,
  pages: Pages,
  { clock, log, ending }: { readonly clock: Clock; readonly log: Logger; readonly ending: AbortSignal },
): Promise<void> {
  const served = await patientOpen([() => servePages(port, pages, clock)], { clock, log }, ending);
  if (served && !ending.aborted) await once(ending, 'abort');
  served?.close();
}

function pageFor(pages: Pages, { method, url = '' }: IncomingMessage): () => Page | Promise<Page> {
  if (method !== 'GET') return () => ({ status: 405, body: 'only GET\n' });
  const [path = ''] = url.split('?', 1);
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page ?? (() => ({ status: 404, body: 'not found\n' }));
}
