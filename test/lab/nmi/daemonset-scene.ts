import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { addresses } from '../addresses.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { nmi } from '../kube/access.ts';
import { readKubeconfig, writeKubeconfig } from '../kube/kubeconfig.ts';
import type { Json, KubeInput, KubeObject } from '../kube/object.ts';
import { podToken } from '../kube/pod-token.ts';
import type { Lab } from '../lab.ts';
import { podObject } from '../objects.ts';

/** Where the agent and its DaemonSet live. */
export const namespace = 'agents';
const labels = { app: 'nmi' };

/** The part of a DaemonSet's spec that says what its pods are like. */
export const pods = (spec: object = {}): Json => ({
  template: { metadata: { labels }, spec: { containers: [{ name: 'nmi', image: 'lab' }], ...spec } },
});

/** An agent that serves as the pod of a DaemonSet. */
export interface Served {
  readonly agent: Agent;
  readonly daemonSet: string;
  readonly pod: string;
  readonly token: string;
}

export interface Scene {
  readonly flags?: Readonly<Record<string, string>>;
  /** Comes between the objects and the agent's start. */
  readonly before?: (token: string) => Promise<void>;
  /** For a start that cannot become ready. */
  readonly unready?: boolean;
}

/** Makes a DaemonSet of its own name with a pod, and starts the agent with that pod's token; ends it with the test. */
export async function serve(t: Test, lab: Lab, scene: Scene = {}): Promise<Served> {
  const { flags = {}, before, unready = false } = scene;
  const daemonSet = `nmi-${randomBytes(3).toString('hex')}`;
  await lab.kube.ensureNamespace(namespace);
  const owner = await lab.kube.create(daemonSetObject(daemonSet));
  const pod = await lab.kube.apply(agentPod(`${daemonSet}-x2x7k`, owner));
  const token = podToken(pod.metadata);
  await lab.kube.fault({ tokens: { [token]: nmi } });
  await before?.(token);
  const { server, ca } = await readKubeconfig(join(lab.folder, 'kubeconfig'));
  const path = join(lab.folder, `${daemonSet}.kubeconfig`);
  await writeFile(path, writeKubeconfig(server, ca, token), { mode: 0o600 });
  const agent = lab.startAgent({ flags, env: { KUBECONFIG: path } });
  t.teardown(() => agent.ended() ?? agent.stop('SIGKILL'));
  if (unready) await eventually('the redirect stands', () => agent.output().includes('serving pods'));
  else await agent.ready();
  return { agent, daemonSet, pod: pod.metadata.name, token };
}

export function daemonSetObject(name: string): KubeInput {
  const metadata = { name, namespace };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: { selector: { matchLabels: labels }, ...pods() },
  };
}

function agentPod(name: string, { apiVersion, kind, metadata }: KubeObject): KubeInput {
  const object = podObject({ name, namespace, ip: addresses.node, hostNetwork: true }, labels);
  const owner = {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
}
