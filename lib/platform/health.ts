import type { Clock } from './clock.ts';
import type { Page, Pages } from './pages.ts';

export interface ProbeQuestions {
  /** The original's word for it: `Active` once the redirect stands. */
  readonly active: () => boolean;
  /** One sentence for each thing that is not as it should be; none means ready. */
  readonly problems: () => readonly string[];
}

/** `/healthz` (live) and `/readyz` (ready, or why not). Live is not ready. */
export function probePages({ active, problems }: ProbeQuestions): Pages {
  return {
    '/healthz': () => ({ status: 200, body: active() ? 'Active' : 'Not Active' }),
    '/readyz': () => {
      const wrong = problems();
      return wrong.length === 0
        ? { status: 200, body: 'ready\n' }
        : { status: 503, body: `${wrong.join('\n')}\n` };
    },
  };
}

/** `/metrics`, made at most once a second, whoever asks: a page costs a millisecond and more. */
export function metricsPages(make: () => Promise<Page>, clock: Clock): Pages {
  let made: { readonly page: Promise<Page>; readonly at: number } | undefined;
  return {
    '/metrics': () => {
      const now = clock.monotonic();
      if (!made || now - made.at >= 1_000) made = { page: make(), at: now };
      return made.page;
    },
  };
}
