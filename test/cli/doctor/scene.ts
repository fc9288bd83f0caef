import type { Test } from 'tap';
import type { Agent, Workload } from '../../../lib/cli/agents/agent.ts';
import type { AgentSet } from '../../../lib/cli/agents/read.ts';
import { checks } from '../../../lib/cli/doctor/checks.ts';
import { type EgressPolicy, egressPolicies } from '../../../lib/cli/doctor/egress.ts';
import type { Facts, SeenNode, SeenPod } from '../../../lib/cli/doctor/facts.ts';
import type { Finding, Verdict } from '../../../lib/cli/doctor/finding.ts';
import { written } from '../../../lib/cli/doctor/resources.ts';
import { type Mode, modeOn } from '../../../lib/cli/explain/mode.ts';
import type { Told } from '../../../lib/cli/told.ts';
import { loadNmiConfig } from '../../../lib/config/load.ts';
import type { NmiConfig } from '../../../lib/config/nmi-flags.ts';
import { parseAssigned } from '../../../lib/kube/mic-assigned.ts';
import { micBindings, micIdentities } from '../../../lib/kube/mic-resources.ts';
import { azurePodIdentityExceptions } from '../../../lib/kube/resources.ts';
import type { AssignedObject } from '../../../lib/model/assigned-object.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import type { KubeInput } from '../../lab/kube/object.ts';
import { assignedObject, bindingObject, identityObject } from '../../lab/objects.ts';
import { allToPaste } from '../pasting.ts';

export function told<T = never>(...value: T[]): Told<readonly T[]> {
  return { kind: 'told', value };
}

export function untold(why: string): { readonly kind: 'untold'; readonly why: string } {
  return { kind: 'untold', why };
}

/** An agent of ours that is ready, in standard mode. */
export function agent(node: string, change: Partial<Agent> = {}): Agent {
  const place = { namespace: 'kube-system', name: `nmi-${node}`, node, image: 'pod-identity:0.1.0' };
  return {
    ...place,
    account: 'nmi',
    original: false,
    ready: true,
    why: '',
    deleting: false,
    settings: flagged(),
    ...change,
  };
}

/** A DaemonSet that brings agents. */
export function agentSet(name: string, namespace: string, change: Partial<AgentSet> = {}): AgentSet {
  return {
    ...{ namespace, name, uid: name, account: 'nmi', deleting: false, selector: undefined },
    ...{ settings: flagged(), original: false, container: 0, hasArgs: true },
    ...change,
  };
}

/** What an agent makes of these arguments. */
export function flagged(...args: readonly string[]): NmiConfig {
  return loadNmiConfig(args, { NODE_NAME: 'node1' });
}

export const noFlags = {
  operationMode: undefined,
  forceNamespaced: undefined,
  micNamespace: undefined,
  enableScaleFeatures: undefined,
};

export function mic(change: Partial<Workload> = {}): Workload {
  const place = { namespace: 'kube-system', name: 'mic-0', node: 'node1', image: 'pod-identity:0.1.0' };
  return { ...place, account: 'mic', original: false, ready: true, why: '', deleting: false, ...change };
}

/** A pod of node1 with the label `demo`. */
export function pod(name: string, change: Partial<SeenPod> = {}): SeenPod {
  return {
    ...{
      namespace: 'shop',
      name,
      uid: name,
      node: 'node1',
      labels: { aadpodidbinding: 'demo' },
      ended: false,
    },
    ...{ hostIp: '10.1.0.4', hostNetwork: false, misleading: [] },
    ...change,
  };
}

export function node(name: string, os = 'linux'): SeenNode {
  const group = '/subscriptions/s/resourceGroups/g/providers';
  return { name, os, providerId: `azure://${group}/Microsoft.Compute/virtualMachines/${name}` };
}

type Annotated = KubeInput & {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
};

function seen(object: KubeInput): KubeInput {
  return { ...object, metadata: { uid: 'u', resourceVersion: '1', ...object.metadata } };
}

export function identity(object: Annotated = identityObject('demo', 'shop', sampleIdentity('demo'))) {
  const parsed = written(micIdentities).parse(seen(object));
  if (!parsed) throw new Error('the seed cannot be read');
  return parsed;
}

export function binding(object: KubeInput = bindingObject('demo-binding', 'shop', 'demo', 'demo')) {
  const parsed = written(micBindings).parse(seen(object));
  if (!parsed) throw new Error('the seed cannot be read');
  return parsed;
}

/** MIC's word that pod `web` may have it. */
export function assigned(): AssignedObject {
  const made = {
    identity: identityObject('demo', 'shop', sampleIdentity('demo')),
    binding: bindingObject('demo-binding', 'shop', 'demo', 'demo'),
  };
  const parsed = parseAssigned(
    assignedObject({ name: 'web', namespace: 'shop' }, { ...made, state: 'Assigned' }),
  );
  if (!parsed) throw new Error('the seed cannot be read');
  return parsed;
}

export function exception(object: KubeInput) {
  const parsed = written(azurePodIdentityExceptions).parse(seen(object));
  if (!parsed) throw new Error('the seed cannot be read');
  return parsed;
}

/** A NetworkPolicy about egress. */
export function policy(spec: object, name = 'p', namespace = 'shop'): EgressPolicy {
  const parsed = egressPolicies.parse({ metadata: { namespace, name }, spec });
  if (parsed === undefined || parsed === 'ingress') throw new Error('no policy about egress');
  return parsed;
}

/** One that lets no pod of `shop` out. */
export const isolatingAll = policy({ podSelector: {}, policyTypes: ['Egress'] });

/** How the agents decide: in standard mode, but for what is said. */
export function modeOf(change: Partial<Mode> = {}): Mode {
  return { ...modeOn('', { pods: told(agent('node1')), sets: told() }, noFlags), ...change };
}

/** Of managed mode, for facts. */
export const managed: Told<Mode> = { kind: 'told', value: modeOf({ managed: true, namespaced: true }) };

/** A cluster in which all is well, but for what is said. */
export function facts(change: Partial<Facts> = {}): Facts {
  return {
    mode: { kind: 'told', value: modeOf() },
    agents: told(agent('node1')),
    agentSets: told(),
    mics: told(mic()),
    strangers: { nmi: [], mic: [] },
    pods: told(pod('web')),
    nodes: told(node('node1')),
    identities: told(identity()),
    bindings: told(binding()),
    exceptions: told(),
    assigned: told(),
    unreadable: [],
    policies: told(),
    daemonSets: told(),
    deployments: told(),
    roles: told(),
    logs: told({ agent: agent('node1'), lines: ['INFO  iptables backend chosen backend=nft why=x'] }),
    complaints: told(),
    cilium: told(),
    access: told(),
    ...change,
  };
}

/** What the check of that name says; each command has to be one to paste. */
export function examined(name: string, change: Partial<Facts>): Verdict {
  const check = checks.find((each) => each.name === name);
  if (!check) throw new Error(`no check ${name}`);
  const verdict = check.examine(facts(change));
  allToPaste(verdict.findings.flatMap(({ mend }) => mend));
  return verdict;
}

/** Of its findings: `severity what`, and all must say why and how to mend it. */
export function found(name: string, change: Partial<Facts>): string[] {
  return examined(name, change).findings.map(({ severity, what, why, mend }: Finding) => {
    if (why === '' || mend.length === 0) throw new Error(`${what}: no reason, or no cure`);
    return `${severity} ${what}`;
  });
}

/** Exactly these findings: `t.match` would pass over further ones. */
export function says(t: Test, findings: readonly string[], wanted: readonly RegExp[], why = ''): void {
  t.match(findings, wanted, why);
  t.equal(findings.length, wanted.length, `nothing but that: ${findings.join('; ')}`);
}
