import { isJson, type Json, type KubeObject, sameJson, textAt } from './object.ts';
import type { Cause } from './status.ts';

/** What a built-in kind does beyond the rules for all objects. */
export interface Rules {
  /** Defaults and resets on create; gets a copy that it may change. */
  prepare?(object: KubeObject): void;
  /** Also on every update. */
  normalise?(object: KubeObject): void;
  check?(object: KubeObject): Cause[];
  checkUpdate?(next: KubeObject, old: KubeObject): Cause[];
}

const required = (field: string): Cause => ({
  field,
  reason: 'FieldValueRequired',
  message: 'Required value',
});
const forbidden = (field: string, why: string): Cause => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});
const wrong = (field: string, value: unknown, why: string): Cause => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
});

const podDefaults: Json = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  serviceAccountName: 'default',
  securityContext: {},
  schedulerName: 'default-scheduler',
};

const pods: Rules = {
  prepare(pod) {
    pod.spec = { ...podDefaults, ...pod.spec };
    pod.status = { phase: 'Pending', qosClass: 'BestEffort' };
  },
  normalise(pod) {
    pod.status = withOneFirstAddress(pod.status ?? {});
  },
  check: (pod) => containerErrors(pod.spec, 'spec'),
  checkUpdate(next, old) {
    if (sameJson(withoutMutableFields(next.spec), withoutMutableFields(old.spec))) return [];
    const allowed = '`spec.containers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations`';
    return [forbidden('spec', `pod updates may not change fields other than ${allowed}`)];
  },
};

/** podIP and podIPs[0] are one value; where both are given and differ, podIP wins. */
function withOneFirstAddress(status: Json): Json {
  const ips = Array.isArray(status.podIPs) ? status.podIPs.filter(isJson) : [];
  const first = status.podIP || ips[0]?.ip;
  if (!first) return status;
  return { ...status, podIP: first, podIPs: ips[0]?.ip === first ? ips : [{ ip: first }] };
}

function containerErrors(spec: unknown, path: string): Cause[] {
  const containers = isJson(spec) && Array.isArray(spec.containers) ? spec.containers.filter(isJson) : [];
  if (containers.length === 0) return [required(`${path}.containers`)];
  return containers.flatMap((container, i) =>
    ['name', 'image']
      .filter((field) => !container[field])
      .map((field) => required(`${path}.containers[${i}].${field}`)),
  );
}

function withoutMutableFields(spec: Json = {}): Json {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec;
  const bare = (list: unknown): unknown =>
    Array.isArray(list) ? list.filter(isJson).map(({ image: _image, ...container }) => container) : list;
  return { ...rest, containers: bare(rest.containers), initContainers: bare(rest.initContainers) };
}

const daemonsets: Rules = {
  prepare(set) {
    set.status = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    };
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } };
    set.spec = { updateStrategy: strategy, revisionHistoryLimit: 10, ...set.spec };
  },
  check({ spec = {} }) {
    const template = isJson(spec.template) ? spec.template : {};
    const wanted = isJson(spec.selector) ? spec.selector.matchLabels : undefined;
    const labels = isJson(template.metadata) ? template.metadata.labels : undefined;
    const matches =
      isJson(wanted) && isJson(labels) && Object.entries(wanted).every(([k, v]) => labels[k] === v);
    const mismatch = wrong(
      'spec.template.metadata.labels',
      labels,
      '`selector` does not match template `labels`',
    );
    return [...(matches ? [] : [mismatch]), ...containerErrors(template.spec, 'spec.template.spec')];
  },
  checkUpdate(next, old) {
    const same = sameJson(next.spec?.selector, old.spec?.selector);
    return same ? [] : [wrong('spec.selector', next.spec?.selector, 'field is immutable')];
  },
};

const nodes: Rules = {
  checkUpdate(next, old) {
    const before = textAt(old, 'spec.providerID');
    if (!before || textAt(next, 'spec.providerID') === before) return [];
    return [forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid')];
  },
};

const namespaces: Rules = {
  prepare(namespace) {
    namespace.spec = { finalizers: ['kubernetes'] };
    namespace.status = { phase: 'Active' };
  },
};

const events: Rules = {
  check(event) {
    const about = textAt(event, 'involvedObject.namespace') || 'default';
    if (about === event.metadata.namespace) return [];
    return [wrong('involvedObject.namespace', about, 'does not match event.namespace')];
  },
};

const secrets: Rules = {
  /** stringData is for writing only: the server keeps it in data, in base64. */
  normalise(secret) {
    const { stringData } = secret;
    delete secret.stringData;
    secret.type ??= 'Opaque';
    if (!isJson(stringData)) return;
    const encoded = Object.entries(stringData).map(([k, v]) => [
      k,
      Buffer.from(String(v)).toString('base64'),
    ]);
    secret.data = { ...(isJson(secret.data) ? secret.data : {}), ...Object.fromEntries(encoded) };
  },
};

const leases: Rules = {
  check({ spec = {} }) {
    return ['leaseDurationSeconds', 'leaseTransitions'].flatMap((field) => {
      const value = spec[field];
      const least = field === 'leaseDurationSeconds' ? 1 : 0;
      if (value === undefined || value === null || Number(value) >= least) return [];
      return [
        wrong(
          `spec.${field}`,
          value,
          least ? 'must be greater than 0' : 'must be greater than or equal to 0',
        ),
      ];
    });
  },
};

export const builtins: Readonly<Record<string, Rules>> = {
  Pod: pods,
  DaemonSet: daemonsets,
  Node: nodes,
  Namespace: namespaces,
  Event: events,
  Secret: secrets,
  Lease: leases,
};
