import type { Metric } from 'prom-client';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { MicMetrics } from '../../lib/platform/mic-metrics.ts';

/** A metric as its program declares it. */
export interface Declared {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** Ours alone, without those of the process. */
export const nmiMetrics: readonly Declared[] = declaredIn(new NmiMetrics());
export const micMetrics: readonly Declared[] = declaredIn(new MicMetrics());

/** Labels that the scraper adds, by scrape.yaml. */
export const targetLabels = ['job', 'instance', 'node', 'pod'] as const;

/** Of others: of Prometheus itself, of every process that prom-client measures, and of kube-state-metrics 2. */
const foreign: Readonly<Record<string, readonly string[]>> = {
  up: [],
  process_resident_memory_bytes: [],
  process_cpu_seconds_total: [],
  kube_pod_info: ['namespace', 'pod', 'node', 'host_network', 'created_by_kind', 'created_by_name'],
  kube_pod_labels: ['namespace', 'pod', 'label_aadpodidbinding'],
  kube_pod_status_phase: ['namespace', 'pod', 'phase'],
  kube_daemonset_status_desired_number_scheduled: ['namespace', 'daemonset'],
  kube_daemonset_status_number_ready: ['namespace', 'daemonset'],
  kube_pod_status_ready: ['namespace', 'pod', 'condition'],
};

const declared = new Map([...nmiMetrics, ...micMetrics].map((metric) => [metric.name, metric]));

/** The metric that a series is of, and the labels that it may have; undefined where nobody has such a series. */
export function seriesNamed(
  name: string,
): { readonly metric: string; readonly labels: readonly string[] } | undefined {
  const [, part] = /_(bucket|sum|count)$/.exec(name) ?? [];
  const whole = part === undefined ? undefined : declared.get(name.slice(0, -part.length - 1));
  if (whole?.type === 'histogram') {
    const labels = part === 'bucket' ? [...whole.labels, 'le'] : whole.labels;
    return { metric: whole.name, labels: [...labels, ...targetLabels] };
  }
  const metric = declared.get(name);
  if (metric && metric.type !== 'histogram')
    return { metric: name, labels: [...metric.labels, ...targetLabels] };
  const others = foreign[name];
  return others && { metric: name, labels: [...others, ...targetLabels] };
}

function declaredIn({ registry }: { readonly registry: NmiMetrics['registry'] }): Declared[] {
  return registry
    .getMetricsAsArray()
    .map(
      (metric) =>
        metric as unknown as Metric & { name: string; help: string; type: string; labelNames: string[] },
    )
    .filter(({ name }) => /^(aad)?podidentity_/.test(name))
    .map(({ name, help, type, labelNames }) => ({ name, help, type, labels: [...labelNames] }));
}
