import { withoutHelm } from '../daemonset/render.ts';
import type { Home } from './agents.ts';
import type { Behind } from './azure.ts';
import { Helm } from './helm.ts';
import type { Kubectl } from './kubectl.ts';
import { consoles } from './nodes.ts';
import { managed, standard } from './stage.ts';
import { grounds, namespace } from './workload.ts';

const assignments = 'azureassignedidentities';
const homes: readonly Home[] = [managed.home, standard.home];

/** Why no run can begin on this cluster, in one sentence. */
export async function refusal(kubectl: Kubectl): Promise<string | undefined> {
  const version = await kubectl.show('version', '--client', '-o', 'json').catch(() => undefined);
  if (version === undefined) return 'kubectl is not on PATH: it takes 1.22 or newer';
  const { minor } = (JSON.parse(version) as { clientVersion: { minor: string } }).clientVersion;
  if (Number.parseInt(minor, 10) < 22) return `kubectl is 1.${minor}: it takes 1.22 or newer`;
  const crds = await kubectl.show('get', 'crds', '-o', 'name').catch((error: Error) => error);
  if (crds instanceof Error) return `the cluster does not answer: ${crds.message.split('\n').at(-1)}`;
  if (crds.includes('aadpodidentity.k8s.io'))
    return 'the cluster has the CRDs of AAD Pod Identity: it takes one without, since all of it is deleted in the end';
  return undefined;
}

/** Everything that the scenarios find there before the first install. */
export async function prepared(kubectl: Kubectl, { gateCa }: Behind): Promise<void> {
  await kubectl.apply(...grounds(), consoles());
  const data = { 'ca.crt': gateCa };
  const gates = homes.map((home) => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', data },
    metadata: { name: 'e2e-gate', namespace: home },
  }));
  await kubectl.apply(...gates);
}

/** Leaves the cluster as it was, whatever came of the scenarios. */
export async function clean(kubectl: Kubectl): Promise<void> {
  const removals: (() => Promise<void>)[] = [
    () => released(kubectl),
    uncharted,
    ...[managed, standard].map(
      ({ gated }) =>
        () =>
          uninstalled(kubectl, gated),
    ),
    ...homes.map((home) => () => kubectl.delete('configmap', 'e2e-gate', 'e2e-azure', '-n', home)),
    () => kubectl.delete('secret', 'aadpodidentity-admin-secret', '-n', standard.home),
    () => kubectl.delete('pod', 'nmi-next', '-n', managed.home),
    () => kubectl.delete('namespace', namespace),
  ];
  for (const remove of removals) {
    await remove().catch((error: Error) => console.error(`e2e: ${error.message}`));
  }
}

/** The chart that a failed run leaves. */
async function uncharted(): Promise<void> {
  if (!(await withoutHelm())) await new Helm('kube-system').uninstall();
}

/** Custom resources go with their definitions; kubectl would not know them by then. */
async function uninstalled(kubectl: Kubectl, folder: string): Promise<void> {
  const objects = await kubectl.render(folder);
  const own = objects.filter(({ apiVersion }) => !apiVersion.startsWith('aadpodidentity.k8s.io/'));
  await kubectl.deleteObjects(...own);
}

/** What a failed run leaves of MIC's objects waits for a MIC that is gone. */
async function released(kubectl: Kubectl): Promise<void> {
  const found = await kubectl.show('api-resources', '--api-group=aadpodidentity.k8s.io', '-o', 'name');
  if (!found.includes(assignments)) return;
  for (const { metadata } of await kubectl.list(assignments, '-A')) {
    const patch = { metadata: { finalizers: null } };
    await kubectl.patch([assignments, metadata.name, metadata.namespace ?? 'default'], patch);
  }
}
