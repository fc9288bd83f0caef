import type { NmiConfig } from '../../config/nmi-flags.ts';
import { isDeleting } from '../../kube/daemonsets.ts';
import { parsing, type Raw, record, records, text, texts } from '../../kube/fields.ts';
import { clean } from '../../model/text.ts';
import { settingsOf } from './settings.ts';

/** A pod of NMI or MIC, as the API tells of it. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  /** Its service account. */
  readonly account: string;
  /** '' until it is scheduled. */
  readonly node: string;
  readonly image: string;
  /** The image is the original's, which decides by its own rules. */
  readonly original: boolean;
  readonly ready: boolean;
  /** Why it is not ready, as far as its status tells; '' when it is. */
  readonly why: string;
  readonly deleting: boolean;
}

/** A pod of NMI. */
export interface Agent extends Workload {
  /** A sentence where its command line is not one that an agent starts with. */
  readonly settings: NmiConfig | string;
}

/** Whether an image is one of the original's: mcr.microsoft.com/oss/azure/aad-pod-identity/nmi:v1.8.17, of any registry. */
export function isOriginals(image: string): boolean {
  return /(^|\/)aad-pod-identity\/(nmi|mic)\b/.test(image);
}

/** The service account of a pod, by its spec. */
export function accountOf(podSpec: Raw): string {
  return text(podSpec, 'serviceAccountName') || 'default';
}

/** The container that the original's manifests and chart, and ours, name so; else the first. */
export function mainContainer(podSpec: Raw, name: 'nmi' | 'mic'): Raw {
  const containers = records(podSpec, 'containers');
  return containers.find((container) => container.name === name) ?? containers[0] ?? {};
}

/** In place of a host's own, for a pod that has none yet: as the agent takes them. */
export const anyHost = { 'spec.nodeName': 'any', 'status.hostIP': '127.0.0.1' } as const;

/** Undefined for what cannot be one: without the node's network no rules can be set. Whose it is, standing.ts tells. */
export function parseAgent(raw: unknown): Agent | undefined {
  return parsing(raw, (object) => {
    const spec = record(object, 'spec');
    if (spec.hostNetwork !== true) return undefined;
    const workload = workloadOf(object, 'nmi');
    if (!workload) return undefined;
    const hostIP = text(record(object, 'status'), 'hostIP') || anyHost['status.hostIP'];
    const fields = { 'spec.nodeName': workload.node, 'status.hostIP': hostIP };
    return { ...workload, settings: settingsOf(mainContainer(spec, 'nmi'), fields) };
  });
}

export function parseMic(raw: unknown): Workload | undefined {
  return parsing(raw, (object) => workloadOf(object, 'mic'));
}

/** Whether labels are those of NMI's or MIC's pods in the original's manifests, in its chart, and in ours. */
export function isLabelled(labels: Readonly<Record<string, string>>, component: 'nmi' | 'mic'): boolean {
  return labels.component === component || labels['app.kubernetes.io/component'] === component;
}

export function labelsOf(raw: unknown): Readonly<Record<string, string>> {
  return parsing(raw, (object) => texts(record(object, 'metadata'), 'labels')) ?? {};
}

/** `0.1.0` of `docker.io/library/pod-identity:0.1.0`; the beginning of the digest where there is no tag. */
export function versionOf(image: string): string {
  const [, digest] = /@(sha256:[0-9a-f]{12})/.exec(image) ?? [];
  const [, tag] = /:([^:/@]+)(?:@.*)?$/.exec(image.replace(/@.*$/, '')) ?? [];
  return clean(tag ?? digest ?? 'latest');
}

function workloadOf(object: Raw, component: 'nmi' | 'mic'): Workload | undefined {
  const metadata = record(object, 'metadata');
  const spec = record(object, 'spec');
  const status = record(object, 'status');
  const name = text(metadata, 'name');
  if (name === '') return undefined;
  const image = text(mainContainer(spec, component), 'image');
  const ready = conditionOf(status, 'Ready');
  const isReady = ready?.status === 'True';
  return {
    namespace: text(metadata, 'namespace'),
    name,
    account: accountOf(spec),
    node: text(spec, 'nodeName'),
    image,
    original: isOriginals(image),
    ready: isReady,
    why: isReady ? '' : reasonOf(status),
    deleting: isDeleting(object),
  };
}

function conditionOf(status: Raw, type: string): Raw | undefined {
  return records(status, 'conditions').find((condition) => condition.type === type);
}

/** What a container waits for says more than the pod's condition, which says that a container is not ready. */
function reasonOf(status: Raw): string {
  for (const container of records(status, 'containerStatuses')) {
    const state = record(container, 'state');
    for (const kind of ['waiting', 'terminated']) {
      const reason = text(record(state, kind), 'reason');
      if (reason !== '') return clean(reason);
    }
  }
  const conditions = ['PodScheduled', 'Ready'].map((type) => conditionOf(status, type));
  const bad = conditions.find((condition) => condition !== undefined && condition.status !== 'True');
  return clean(
    (bad && (text(bad, 'message') || text(bad, 'reason'))) || text(status, 'reason') || 'not ready',
  );
}

/** Of several, the one that would do the work: ready, and not leaving. */
export function bestOf<T extends Workload>(workloads: readonly T[]): T | undefined {
  const staying = workloads.filter(({ deleting }) => !deleting);
  return staying.find(({ ready }) => ready) ?? staying[0];
}
