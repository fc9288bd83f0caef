import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client';

/**
 * Every metric of the agent, in one place. Names with the prefix of the original are the original's, with a bounded route
 * in place of the raw path. No label value is chosen by a client.
 */
export class NmiMetrics {
  readonly registry = new Registry();

  readonly operations = new Histogram({
    name: 'aadpodidentity_nmi_operations_duration_seconds',
    help: 'Token requests of pods, in seconds',
    labelNames: ['operation_type', 'status_code', 'namespace', 'resource'],
    buckets: [0.005, 0.05, 0.5, 1, 2, 3, 4, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100],
    registers: [this.registry],
  });
  readonly imds = new Histogram({
    name: 'aadpodidentity_imds_operations_duration_seconds',
    help: 'Token calls to IMDS and, as adal_token, to Microsoft Entra ID, in seconds',
    labelNames: ['operation_type'],
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3, 4, 5, 10],
    registers: [this.registry],
  });
  readonly imdsErrors = new Counter({
    name: 'aadpodidentity_imds_operations_errors_count',
    help: 'Token calls to IMDS and, as adal_token, to Microsoft Entra ID, that failed',
    labelNames: ['operation_type'],
    registers: [this.registry],
  });
  readonly kubeErrors = new Counter({
    name: 'aadpodidentity_kubernetes_api_operations_errors_count',
    help: 'Calls to the Kubernetes API that failed',
    labelNames: ['operation_type'],
    registers: [this.registry],
  });
  readonly answers = new Tally({
    name: 'podidentity_answers_total',
    help: 'Requests of pods by route and what became of them',
    labelNames: ['route', 'code'],
    registers: [this.registry],
  });
  readonly payments = new Tally({
    name: 'podidentity_token_payments_total',
    help: 'Tokens given, by how they were paid for: cached, shared (with a call under way), fetched, kept (too old, but the source fails)',
    labelNames: ['payment'],
    registers: [this.registry],
  });
  readonly cacheEvents = new Counter({
    name: 'podidentity_token_cache_events_total',
    help: 'Cached tokens: renewed, renewal-failed (the old one serves), gone (dropped with its identity), expired, full (dropped for room), too-large (handed out, not kept)',
    labelNames: ['event'],
    registers: [this.registry],
  });
  readonly imdsCalls = new Counter({
    name: 'podidentity_imds_calls_total',
    help: 'Calls to IMDS by kind (token, pass) and status; none: no answer; lost: made again on another connection',
    labelNames: ['kind', 'status'],
    registers: [this.registry],
  });
  readonly imdsInFlight = new Gauge({
    name: 'podidentity_imds_calls_in_flight',
    help: 'Calls to IMDS that wait for its answer; 5 at most',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  readonly imdsQueued = new Gauge({
    name: 'podidentity_imds_calls_queued',
    help: 'Calls to IMDS that wait for their turn',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  readonly imdsWait = new Histogram({
    name: 'podidentity_imds_calls_wait_seconds',
    help: 'How long calls to IMDS waited for their turn, in seconds',
    labelNames: ['kind'],
    buckets: [0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    registers: [this.registry],
  });
  readonly imdsTurnedAway = new Counter({
    name: 'podidentity_imds_calls_refused_total',
    help: 'Calls to IMDS that got no turn: full (too many wait already), late (none came in time)',
    labelNames: ['kind', 'why'],
    registers: [this.registry],
  });
  readonly imdsPaused = new Counter({
    name: 'podidentity_imds_paused_seconds_total',
    help: 'How long calls were held back because IMDS asked for it (429 or Retry-After), in seconds',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  readonly repairs = new Counter({
    name: 'podidentity_rules_repairs_total',
    help: 'Kernel rules put right after something else changed them, by what of ours (a chain, routes, other backend) and what was found',
    labelNames: ['what', 'found'],
    registers: [this.registry],
  });
  readonly podEvents = new Counter({
    name: 'podidentity_pod_events_total',
    help: 'Kubernetes Events on pods: sent, repeated (told already), dropped, failed',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly waiting = new Gauge({
    name: 'podidentity_waiting_requests',
    help: 'Requests that wait for an identity that is not there yet',
    registers: [this.registry],
  });
  readonly rules = new Gauge({
    name: 'podidentity_rules_present',
    help: '1 when the kernel showed the rules at the last look, 0 when not, -1 when it could not be told',
    labelNames: ['what'],
    registers: [this.registry],
  });
  readonly watchAge = new Gauge({
    name: 'podidentity_watch_age_seconds',
    help: 'Since the watch of a resource was last heard; 100 at most while all is well',
    labelNames: ['resource'],
    registers: [this.registry],
  });
  readonly cached = new Gauge({
    name: 'podidentity_cached_tokens',
    help: 'Tokens in the cache',
    registers: [this.registry],
  });
  readonly certificates = new Gauge({
    name: 'podidentity_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of a type 2 AzureIdentity (namespace/name) ends, in seconds since 1970; gone two days after its last use',
    labelNames: ['identity'],
    registers: [this.registry],
  });
  readonly proven = new Gauge({
    name: 'podidentity_redirect_proven',
    help: '1 when a packet was seen to arrive over the redirect, 0 when that is disproven or doubted, -1 when it could not be told',
    registers: [this.registry],
  });
  readonly ready = new Gauge({
    name: 'podidentity_ready',
    help: '1 when rules stand, caches are synced and fresh, and the listener answers',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** For the scraper. */
  async page(): Promise<{ status: number; type: string; body: string }> {
    return { status: 200, type: this.registry.contentType, body: await this.registry.metrics() };
  }
}

/**
 * A counter that is counted for every request, by one or two labels of few values: prom-client's own joins the labels to a text each
 * time, which costs a microsecond.
 */
class Tally<L extends string> {
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(config: CounterConfiguration<L>) {
    const [first, second] = config.labelNames as readonly L[];
    const drain = (counter: Counter<L>): void =>
      this.#drain((a, b, count) => {
        counter.inc({ [first as L]: a, ...(second && { [second]: b }) } as Record<L, string>, count);
      });
    new Counter<L>({
      ...config,
      collect() {
        drain(this);
      },
    });
  }

  inc(first: string, second = ''): void {
    const counts = this.#counts.get(first) ?? new Map<string, number>();
    this.#counts.set(first, counts.set(second, (counts.get(second) ?? 0) + 1));
  }

  #drain(to: (first: string, second: string, count: number) => void): void {
    for (const [first, counts] of this.#counts)
      for (const [second, count] of counts) to(first, second, count);
    this.#counts.clear();
  }
}

/** Well-known audiences, so that the original's `resource` label stays bounded. */
const audiences = new Set([
  'https://management.azure.com',
  'https://management.core.windows.net',
  'https://vault.azure.net',
  'https://storage.azure.com',
  'https://database.windows.net',
  'https://graph.microsoft.com',
  'https://servicebus.azure.net',
  'https://eventhubs.azure.net',
  'https://containerregistry.azure.net',
]);

export function resourceLabel(resource: string | undefined): string {
  if (resource === undefined) return '';
  const bare = resource.endsWith('/') ? resource.slice(0, -1) : resource;
  return audiences.has(bare) ? bare : 'other';
}
