import assert from 'node:assert/strict';
import { agentsReady, daemonSet, kill } from '../agents.ts';
import { assignments } from '../assigned.ts';
import { bind, unbind } from '../bindings.ts';
import { bare, ruled } from '../nodes.ts';
import { managed, type Scenario } from '../stage.ts';
import { ask, assertToken, removePods, startPod, tokenUrl } from '../workload.ts';

const flushed = `
for backend in nft legacy; do
  for table in $(iptables-$backend-save 2>/dev/null | sed -n 's/^[*]//p'); do
    iptables-$backend -t "$table" -F
    iptables-$backend -t "$table" -X 2>/dev/null || :
  done
done
conntrack -F 2>/dev/null || :
`;

/** What a reboot leaves of a node: no rule, no process, and the API server beyond reach until kube-proxy is back. */
export const rebooted: Scenario = {
  name: 'a node is rebooted: its rules are there again before its pods get tokens',
  async run(stage) {
    const { kubectl, nodes } = stage;
    const [node = ''] = nodes.names;
    const [identity] = await bind(stage, 'reborn');
    const flush = async (): Promise<void> => void (await nodes.inNetwork(node, 'sh', '-c', flushed));
    await kill(kubectl, nodes, { home: managed.home, node, meanwhile: flush });
    await ruled(nodes, node);
    await startPod(kubectl, 'reborn', { binding: 'reborn', node });
    assertToken(await ask(kubectl, 'reborn', tokenUrl, '--tries=30'), identity);
    await removePods(kubectl, 'reborn');
    await unbind(stage, 'reborn');
  },
};

export const daemonSetDeleted: Scenario = {
  name: 'the DaemonSet is deleted: no rule is left on any node; applied again, it serves again',
  async run({ kubectl, nodes }) {
    const { home, plain } = managed;
    await kubectl.delete('daemonset', daemonSet, '-n', home);
    await bare(nodes);
    await kubectl.applyKustomization(plain);
    await agentsReady(kubectl, home, { count: nodes.names.length });
    await ruled(nodes, ...nodes.names);
  },
};

/**
 * As documented: bindings first, so that MIC assigns nothing anew, then what it has assigned, while it is there to take that off the
 * machines. Other objects of users go with their definitions.
 */
export function uninstalled(mode: string, folder: string): Scenario {
  return {
    name: `kubectl delete -k, ${mode}: no rule, finalizer or object is left`,
    async run({ kubectl, nodes }) {
      await kubectl.show('delete', 'azureidentitybindings', '--all', '-A');
      const defined = await kubectl.show('get', 'crds', '-o', 'name');
      if (defined.includes(assignments)) await kubectl.show('delete', assignments, '--all', '-A');
      await kubectl.deleteKustomization(folder);
      await bare(nodes);
      const left = await kubectl.show('get', '-k', folder, '--ignore-not-found', '-o', 'name');
      assert.equal(left.trim(), '');
      const resources = await kubectl.show(
        'api-resources',
        '--api-group=aadpodidentity.k8s.io',
        '-o',
        'name',
      );
      assert.equal(resources.trim(), '');
    },
  };
}
