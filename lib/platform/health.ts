import type { Clock } from './clock.ts';
import { type Page, servePages } from './pages.ts';

export interface HealthOptions {
  readonly probePort: number;
  readonly metricsPort: number;
  /** The original's word for it: `Active` once the redirect stands. */
  readonly active: () => boolean;
  /** One sentence for each thing that is not as it should be; none means ready. */
  readonly problems: () => string[];
  /** Made at most once a second, whoever asks: a page costs a millisecond and more. */
  readonly metrics: () => Promise<Page>;
  readonly clock: Clock;
}

export interface Health {
  /** The ports that are open. */
  readonly probePort: number;
  readonly metricsPort: number;
  close(): void;
}

/**
 * `/healthz` (live), `/readyz` (ready, or why not) and `/metrics`. Live is not ready. Throws AppError `listen-failed`, and
 * leaves neither port open then.
 */
export async function openHealth(options: HealthOptions): Promise<Health> {
  const probes = await servePages(options.probePort, {
    '/healthz': () => ({ status: 200, body: options.active() ? 'Active' : 'Not Active' }),
    '/readyz': () => {
      const problems = options.problems();
      return problems.length === 0
        ? { status: 200, body: 'ready\n' }
        : { status: 503, body: `${problems.join('\n')}\n` };
    },
  });
  const metrics = oncePerSecond(options.metrics, options.clock);
  const scrape = await servePages(options.metricsPort, { '/metrics': metrics }).catch((error: unknown) => {
    probes.close();
    throw error;
  });
  return {
    probePort: probes.port,
    metricsPort: scrape.port,
    close: () => {
      probes.close();
      scrape.close();
    },
  };
}

function oncePerSecond(make: () => Promise<Page>, clock: Clock): () => Promise<Page> {
  let made: { readonly page: Promise<Page>; readonly at: number } | undefined;
  return () => {
    const now = clock.monotonic();
    if (!made || now - made.at >= 1_000) made = { page: make(), at: now };
    return made.page;
  };
}
