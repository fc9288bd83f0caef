import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3, 4, 5, 10];
const minutes = [0.5, 1, 5, 10, 30, 60, 120, 300, 600, 900, 1200];

/** Every metric of MIC, in one place. Names with the prefix of the original are the original's. */
export class MicMetrics {
  readonly registry = new Registry();

  readonly additions = this.#writes('addition', 'created');
  readonly deletions = this.#writes('deletion', 'deleted');
  readonly updates = this.#writes('update', 'changed');
  readonly kubeErrors = new Counter({
    name: 'aadpodidentity_kubernetes_api_operations_errors_count',
    help: 'Calls to the Kubernetes API that failed',
    labelNames: ['operation_type'],
    registers: [this.registry],
  });
  readonly cycle = new Histogram({
    name: 'aadpodidentity_mic_cycle_duration_seconds',
    help: 'From looking at the cluster to a plan that is handed on, in seconds; the work on machines is not waited for',
    buckets: [0.01, 0.05, 0.1, ...minutes],
    registers: [this.registry],
  });
  readonly cycles = new Counter({
    name: 'aadpodidentity_mic_cycle_count',
    help: 'Plans that had work to do',
    registers: [this.registry],
  });
  readonly elections = new Counter({
    name: 'aadpodidentity_mic_new_leader_election_count',
    help: 'How often this instance has become the leader',
    registers: [this.registry],
  });
  readonly cloud = new Histogram({
    name: 'aadpodidentity_cloud_provider_operations_duration_seconds',
    help: 'Calls to Azure Resource Manager, in seconds; poll: a look at a change under way',
    labelNames: ['operation_type'],
    buckets: [0.05, 0.1, ...minutes],
    registers: [this.registry],
  });
  readonly cloudErrors = new Counter({
    name: 'aadpodidentity_cloud_provider_operations_errors_count',
    help: 'Calls to Azure Resource Manager that failed',
    labelNames: ['operation_type'],
    registers: [this.registry],
  });
  readonly cloudCalls = new Counter({
    name: 'podidentity_arm_calls_total',
    help: 'Calls to Azure Resource Manager by operation and status; none: no answer',
    labelNames: ['operation_type', 'status'],
    registers: [this.registry],
  });
  readonly cloudRemaining = new Gauge({
    name: 'podidentity_arm_calls_remaining',
    help: 'What Azure Resource Manager said is left of a limit, by subscription',
    labelNames: ['subscription', 'limit'],
    registers: [this.registry],
  });
  readonly events = new Counter({
    name: 'podidentity_mic_events_total',
    help: 'Kubernetes Events: sent, repeated (told already), dropped, failed',
    labelNames: ['outcome'],
    registers: [this.registry],
  });
  readonly problems = new Gauge({
    name: 'podidentity_assignment_problems',
    help: 'What keeps pods from identities in the latest plan, by code',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly leading = new Gauge({
    name: 'podidentity_mic_leading',
    help: '1 on the instance that works, 0 on those that stand by',
    registers: [this.registry],
  });
  readonly ready = new Gauge({
    name: 'podidentity_ready',
    help: '1 when caches are synced and fresh',
    registers: [this.registry],
  });
  readonly watchAge = new Gauge({
    name: 'podidentity_watch_age_seconds',
    help: 'Since the watch of a resource was last heard; 100 at most while all is well',
    labelNames: ['resource'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** For the scraper. */
  async page(): Promise<{ status: number; type: string; body: string }> {
    return { status: 200, type: this.registry.contentType, body: await this.registry.metrics() };
  }

  #writes(what: string, verb: string): { readonly count: Counter; readonly duration: Histogram } {
    const registers = [this.registry];
    const name = `aadpodidentity_assigned_identity_${what}`;
    const count = new Counter({
      name: `${name}_count`,
      help: `AzureAssignedIdentities that were ${verb}`,
      registers,
    });
    const help = `How long AzureAssignedIdentities took to be ${verb}, in seconds`;
    const duration = new Histogram({ name: `${name}_duration_seconds`, help, buckets: seconds, registers });
    return { count, duration };
  }
}
