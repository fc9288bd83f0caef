import { type Page, servePages } from './pages.ts';

export interface HealthOptions {
  readonly probePort: number;
  readonly metricsPort: number;
  /** The original's word for it: `Active` once the redirect stands. */
  readonly active: () => boolean;
  /** One sentence for each thing that is not as it should be; none means ready. */
  readonly problems: () => string[];
  readonly metrics: () => Promise<Page>;
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
  const scrape = await servePages(options.metricsPort, { '/metrics': options.metrics }).catch(
    (error: unknown) => {
      probes.close();
      throw error;
    },
  );
  return {
    probePort: probes.port,
    metricsPort: scrape.port,
    close: () => {
      probes.close();
      scrape.close();
    },
  };
}
