import { eventually } from '../lab/eventually.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import type { Kubectl } from './kubectl.ts';
import { long } from './patience.ts';
import { run } from './run.ts';
import { image, isReady, namespace } from './workload.ts';

/** The nodes of the cluster, from the inside. */
export interface Nodes {
  readonly names: readonly string[];
  /** Runs a command in the node's network, as root. */
  inNetwork(node: string, ...command: readonly string[]): Promise<string>;
  /** The processes of agents on the node, as the node itself numbers them. */
  agents(node: string): Promise<readonly string[]>;
  /** Sends them SIGKILL, as nothing in the agent's own pod can. */
  killAgents(node: string): Promise<void>;
}

const name = 'node';

/** A pod on every node in the node's network that sees the processes of the node: what a person at its console does. */
export function consoles(): KubeInput {
  const labels = { app: name };
  const spec = {
    ...{ hostNetwork: true, hostPID: true, terminationGracePeriodSeconds: 0 },
    automountServiceAccountToken: false,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        ...{ name, image, imagePullPolicy: 'IfNotPresent', command: ['sleep', 'infinity'] },
        securityContext: { privileged: true, runAsUser: 0 },
        volumeMounts: [{ name: 'xtables-lock', mountPath: '/run/xtables.lock' }],
      },
    ],
    volumes: [{ name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

/** `onNode`: see Settings. The consoles must have been applied. */
export async function openNodes(kubectl: Kubectl, onNode: string | undefined): Promise<Nodes> {
  const names = (await kubectl.list('nodes')).map(({ metadata }) => metadata.name);
  const pods = await eventually(
    'every node has its console',
    async () => {
      const found = await kubectl.list('pods', '-n', namespace, '-l', `app=${name}`);
      return found.length === names.length && found.every(isReady) ? found : undefined;
    },
    long,
  );
  const podOf = new Map(pods.map(({ spec, metadata }) => [String(spec?.nodeName), metadata.name]));
  const atConsole = (node: string, command: readonly string[]): Promise<string> =>
    kubectl.exec(namespace, podOf.get(node) ?? '', command);
  const agents = async (node: string): Promise<readonly string[]> =>
    (await atConsole(node, ['sh', '-c', agentsHere])).split('\n').filter((pid) => pid !== '');
  return {
    names,
    agents,
    inNetwork: (node, ...command) =>
      onNode === undefined ? atConsole(node, command) : run([onNode, node, ...command]),
    killAgents: async (node) =>
      void (await atConsole(node, ['sh', '-c', `kill -9 ${(await agents(node)).join(' ')}`])),
  };
}

/** Whoever runs the agent's program in this very network namespace; another node's, on the same machine, does not. */
const agentsHere = `
here=$(readlink /proc/self/ns/net)
for dir in /proc/[0-9]*; do
  tr '\\0' '\\n' 2>/dev/null <"$dir/cmdline" | grep -qx /pod-identity/bin/nmi.mjs || continue
  [ "$(readlink "$dir/ns/net")" = "$here" ] && echo "\${dir#/proc/}"
done
:
`;

/** The lines of both iptables backends, and the routing rules, that are ours on this node. */
export async function rulesOn({ inNetwork }: Nodes, node: string): Promise<string[]> {
  const saved = await inNetwork(
    node,
    'sh',
    '-ec',
    'iptables-nft-save 2>/dev/null; iptables-legacy-save; ip rule show',
  );
  return saved.split('\n').filter((line) => /aad-metadata|proto(col)? 169/.test(line));
}

/** Waits until no rule is left on any node. */
export async function bare(nodes: Nodes): Promise<void> {
  for (const node of nodes.names) {
    const look = async (): Promise<boolean> => (await rulesOn(nodes, node)).length === 0;
    await eventually(`no rule is left on ${node}`, look, long);
  }
}

/** Waits until guard and redirect stand on these nodes. */
export async function ruled(nodes: Nodes, ...names: readonly string[]): Promise<void> {
  for (const node of names) {
    const look = async (): Promise<boolean> => {
      const rules = (await rulesOn(nodes, node)).join('\n');
      return /-j DNAT/.test(rules) && /aad-metadata-guard .*-j DROP/.test(rules);
    };
    await eventually(`guard and redirect stand on ${node}`, look, long);
  }
}
