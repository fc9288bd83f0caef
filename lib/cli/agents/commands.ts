import { orNone, type Told } from '../told.ts';
import type { Workload } from './agent.ts';
import type { AgentSet } from './read.ts';

/** What brings agents, and what brings MICs, as the manifests name them (the original's and ours), and as the chart does. */
const usual = { nmi: ['nmi', 'aad-pod-identity-nmi'], mic: ['mic', 'aad-pod-identity-mic'] } as const;

/** A Deployment's pod: the hash of its template and five of the letters and digits that Kubernetes draws for names. */
const ofDeployment = /^(.+)-[bcdfghjklmnpqrstvwxz2456789]+-[bcdfghjklmnpqrstvwxz2456789]{5}$/;

/** Puts back what an installation brings. Which of the two ways it came is not written down in a cluster: `byHelm` tells the other. */
export function installing(overlay: 'standard' | 'managed' | 'service-principal'): string {
  return `kubectl apply -k daemonset/overlays/${overlay}`;
}

/** A sentence that belongs to each command of `installing`: no shell is sure to know a comment for one. */
export const byHelm = 'Where Helm installed it, helm upgrade takes the place of kubectl apply';

/** One command for each DaemonSet of agents that was read; else one for each name that it may have. */
export function ofAgentSets(
  sets: Told<readonly AgentSet[]>,
  command: (daemonSet: string, namespace: string, set?: AgentSet) => string,
): readonly string[] {
  const read = orNone(sets).map((set) => command(set.name, set.namespace, set));
  return read.length > 0 ? read : usual.nmi.map((name) => command(name, 'NAMESPACE'));
}

/** One command for each Deployment of these MICs, as the names of their pods tell it; else one for each name that it may have. */
export function ofMicDeployments(
  mics: readonly Pick<Workload, 'namespace' | 'name'>[],
  command: (deployment: string, namespace: string) => string,
): readonly string[] {
  const commands = mics.flatMap(({ name, namespace }) => {
    const [, deployment] = ofDeployment.exec(name) ?? [];
    const names = deployment === undefined ? usual.mic : [deployment];
    return names.map((each) => command(each, namespace));
  });
  return [...new Set(commands)];
}

/** A command for all pods or DaemonSets of agents: the chart labels them by another key. */
export function byLabels(command: (selector: string) => string): readonly string[] {
  return [command('component=nmi'), command('app.kubernetes.io/component=nmi')];
}
