import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.ts';
import { connectKube, type KubeClient } from './client.ts';
import { builtinPromises } from './contract/builtins.ts';
import { deletionPromises } from './contract/deletion.ts';
import { listPromises } from './contract/lists.ts';
import { micPromises } from './contract/mic.ts';
import { objectPromises } from './contract/objects.ts';
import { type ContractWorld, pod } from './contract/promise.ts';
import { watchPromises } from './contract/watches.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { startKubeApi } from './server.ts';

const promises = {
  ...objectPromises,
  ...builtinPromises,
  ...deletionPromises,
  ...listPromises,
  ...watchPromises,
  ...micPromises,
};
const crds = join(import.meta.dirname, '../../../daemonset/crds');
const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

t.test('the stand-in keeps the promises of the Kubernetes API', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kube-contract-'));
  // Bookmarks at once: the real server sends one before a watch ends, which its promise waits for.
  const api = await startKubeApi({ bookmarkMs: 20 });
  const file = join(folder, 'kubeconfig');
  await writeFile(file, api.kubeconfig('admin-token'));
  const kube = await connectKube({ kubeconfig: file });
  t.teardown(async () => {
    await kube.close();
    await api.close();
    await rm(folder, { recursive: true });
  });
  await keepPromises(t, kube);
});

// The real server takes its time for namespaces and for bookmarks.
t.setTimeout(300_000);
const real = process.env.KUBECONFIG ?? '';
const skip = real ? await reasonToSpare(real) : 'the real API server is skipped: KUBECONFIG is not set';
t.test('a real API server keeps the same promises', { skip }, async (t) => {
  const kube = await connectKube({ kubeconfig: real });
  t.teardown(() => kube.close());
  await installCrds(t, kube);
  await keepPromises(t, kube);
});

async function keepPromises(t: Test, kube: KubeClient): Promise<void> {
  const prefix = `contract-${process.pid}-${Date.now().toString(36)}`;
  const world: ContractWorld = { kube, namespace: prefix, prefix };
  await kube.ensureNamespace(prefix);
  t.teardown(() => cleanUp(world));
  // A real server refuses pods until the controllers have given the namespace its service account.
  await eventually('pods can be created', () => kube.create(pod(world, 'probe')), { withinMs: 30_000 });
  for (const [name, keep] of Object.entries(promises)) await t.test(name, (t) => keep(t, world));
}

async function cleanUp({ kube, namespace, prefix }: ContractWorld): Promise<void> {
  for (const { metadata } of await kube.list('Pod', namespace)) {
    await kube.delete('Pod', metadata.name, { namespace, gracePeriodSeconds: 0 });
  }
  await kube.delete('Node', prefix);
  for (const { metadata } of await kube.list('AzureIdentity')) {
    if (!metadata.finalizers || !metadata.namespace?.startsWith(prefix)) continue;
    const { name } = metadata;
    await kube.patch(
      'AzureIdentity',
      name,
      { metadata: { finalizers: null } },
      { namespace: metadata.namespace },
    );
  }
  for (const name of [namespace, `${prefix}-doomed`]) {
    await kube.delete('Namespace', name);
    await kube.waitFor('Namespace', name, (object) => !object, { withinMs: 60_000 });
  }
}

/** Installs those that are missing, and takes away what it installed. Sent as YAML: client-node would rename fields. */
async function installCrds(t: Test, kube: KubeClient): Promise<void> {
  for (const file of (await readdir(crds)).filter((name) => name.startsWith('azure'))) {
    const body = await readFile(join(crds, file), 'utf8');
    const answer = await kube.request('POST', crdPath, { body, contentType: 'application/yaml' });
    if (answer.status === 409) continue;
    t.match(answer, { status: 201 }, `${file} is accepted`);
    const { metadata, spec } = answer.body as {
      metadata: { name: string };
      spec: { names: { kind: string } };
    };
    t.teardown(() => kube.request('DELETE', `${crdPath}/${metadata.name}`));
    await eventually(`${file} is served`, () => kube.list(spec.names.kind));
  }
}

/** It makes namespaces, a node and missing CRDs, which is nothing for a cluster that happens to be in KUBECONFIG. */
async function reasonToSpare(kubeconfig: string): Promise<string | false> {
  const { server } = await readKubeconfig(kubeconfig);
  const local = /^(127\.[\d.]+|localhost|\[::1\])$/.test(new URL(server).hostname);
  if (local || process.env.CONTRACT_ON_CLUSTER === 'yes') return false;
  return `the real API server is spared: ${server} is not on this machine; CONTRACT_ON_CLUSTER=yes to use it`;
}
