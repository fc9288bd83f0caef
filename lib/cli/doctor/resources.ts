import { parsing, type Raw, record, records, strings, text, texts } from '../../kube/fields.ts';
import { Interner } from '../../kube/interner.ts';
import { assignedPods } from '../../kube/mic-resources.ts';
import type { Resource } from '../../kube/resource.ts';
import { labelsOf } from '../agents/agent.ts';
import { isAddOns } from './add-on.ts';
import { misleadingVariables } from './endpoints.ts';
import type { Controller, Role, SeenNode, SeenPod, Written } from './facts.ts';
import { oddIn } from './letter-case.ts';

/** All pods, trimmed while they arrive: of 100,000 of them little is kept. */
export function seenPods(): Resource<SeenPod> {
  const interner = new Interner();
  return {
    name: 'pods',
    path: assignedPods().path,
    parse: (raw) => parsing(raw, (object) => parsePod(object, interner)),
  };
}

export const seenNodes: Resource<SeenNode> = {
  name: 'nodes',
  path: '/api/v1/nodes',
  parse: (raw) =>
    parsing(raw, (object) => {
      const metadata = record(object, 'metadata');
      return {
        name: text(metadata, 'name'),
        providerId: text(record(object, 'spec'), 'providerID'),
        os: texts(metadata, 'labels')['kubernetes.io/os'] ?? '',
      };
    }),
};

export const allDaemonSets: Resource<Controller> = {
  name: 'daemonsets',
  path: '/apis/apps/v1/daemonsets',
  parse: (raw) => parsing(raw, (object) => parseController(object, 'DaemonSet')),
};

export const allDeployments: Resource<Controller> = {
  name: 'deployments',
  path: '/apis/apps/v1/deployments',
  parse: (raw) => parsing(raw, (object) => parseController(object, 'Deployment')),
};

export const clusterRoles: Resource<Role> = {
  name: 'clusterroles',
  path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  parse: (raw) =>
    parsing(raw, (object) => {
      const metadata = record(object, 'metadata');
      const rights = records(object, 'rules').flatMap((rule) =>
        strings(rule, 'resources').flatMap((resource) =>
          strings(rule, 'verbs').map((verb) => `${verb} ${resource}`),
        ),
      );
      return { name: text(metadata, 'name'), labels: texts(metadata, 'labels'), rights };
    }),
};

/** The same objects, with what is odd in how they are written, and whose they are. */
export function written<T extends object>(resource: Resource<T>): Resource<Written<T>> {
  return {
    ...resource,
    parse: (raw) => {
      const parsed = resource.parse(raw);
      return parsed && { ...parsed, odd: oddIn(raw), addOn: isAddOns(labelsOf(raw)) };
    },
  };
}

function parsePod(object: Raw, interner: Interner): SeenPod | undefined {
  const metadata = record(object, 'metadata');
  const spec = record(object, 'spec');
  const status = record(object, 'status');
  const phase = text(status, 'phase');
  const name = text(metadata, 'name');
  if (name === '') return undefined;
  return {
    namespace: interner.text(text(metadata, 'namespace')),
    name,
    uid: text(metadata, 'uid'),
    node: interner.text(text(spec, 'nodeName')),
    labels: interner.labels(texts(metadata, 'labels')),
    ended: phase === 'Succeeded' || phase === 'Failed',
    hostIp: interner.text(text(status, 'hostIP')),
    hostNetwork: spec.hostNetwork === true,
    misleading: misleadingIn(spec),
  };
}

function misleadingIn(spec: Raw): readonly string[] {
  const containers = [...records(spec, 'initContainers'), ...records(spec, 'containers')];
  const names = new Set(containers.flatMap((each) => records(each, 'env').map((entry) => entry.name)));
  return misleadingVariables.filter((name) => names.has(name));
}

function parseController(object: Raw, kind: Controller['kind']): Controller {
  const metadata = record(object, 'metadata');
  const spec = record(record(record(object, 'spec'), 'template'), 'spec');
  return {
    kind,
    namespace: text(metadata, 'namespace'),
    name: text(metadata, 'name'),
    labels: texts(metadata, 'labels'),
    images: records(spec, 'containers').map((container) => text(container, 'image')),
  };
}
