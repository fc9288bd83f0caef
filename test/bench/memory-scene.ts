import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses, podAddress } from '../lab/addresses.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { createLab, type Lab } from '../lab/lab.ts';
import { bindingObject, identityObject, podObject } from '../lab/objects.ts';

/** One in this many pods has an identity of its own; the others of each group share it. */
const podsPerIdentity = 10;

/** As large as pods of real clusters, 5 to 10 kB: what kubectl applied, environment, volumes, managed fields. */
function crowdPod(number: number, revision: string): KubeInput {
  const ip = podAddress(addresses.firstPod + number);
  const pod = { name: `pod${number}`, namespace: 'default', ip, hostNetwork: false };
  const object = podObject(pod, { aadpodidbinding: `identity${Math.floor(number / podsPerIdentity)}` });
  const annotations = { revision, 'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(6_000) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** A node with that many pods, all bound. The first, `demo`, has a network and can ask; of the others, the API knows. */
export async function crowdedLab(pods: number): Promise<Lab> {
  const lab = await createLab();
  for (let number = 0; number < pods; number += podsPerIdentity) {
    const name = `identity${number / podsPerIdentity}`;
    await lab.imds.assign(sampleIdentity(name));
    await lab.kube.apply(identityObject(name, 'default', sampleIdentity(name)));
    await lab.kube.apply(bindingObject(name, 'default', name, name));
  }
  await lab.addPod({ name: 'demo', labels: { aadpodidbinding: 'identity0' } });
  for (let number = 1; number < pods; number++) await lab.kube.apply(crowdPod(number, 'first'));
  return lab;
}

interface Kubeconfig {
  readonly clusters: [{ readonly cluster: { readonly server: string } }];
  readonly users: [{ readonly user: { readonly token: string } }];
}

/**
 * Writes the kubeconfig that is nearest to a service account, with CA and token in files, and gives its path: reading a CA out
 * of the YAML itself compiles the YAML parser for the machine (5 MB resident, measured), which no agent in a pod does.
 */
export function podKubeconfig(lab: Lab): string {
  const config = JSON.parse(readFileSync(join(lab.folder, 'kubeconfig'), 'utf8')) as Kubeconfig;
  const [{ cluster }] = config.clusters;
  const [{ user }] = config.users;
  writeFileSync(join(lab.folder, 'token'), user.token, { mode: 0o600 });
  const files = {
    clusters: [{ name: 'lab', cluster: { server: cluster.server, 'certificate-authority': 'ca.crt' } }],
    users: [{ name: 'lab', user: { tokenFile: 'token' } }],
  };
  const path = join(lab.folder, 'pod.kubeconfig');
  writeFileSync(path, JSON.stringify({ ...config, ...files }));
  return path;
}

export interface Load {
  readonly seconds: number;
  /** How often each status came, and each error. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** A pod of the node changes this often, ms, as in a cluster where people work: a watch that hears nothing is not believed. */
const changeMs = 10_000;

/** That many requests through the real redirect. Rejects when it takes over 20 minutes. */
export async function load(lab: Lab, requests: number, connections: number): Promise<Load> {
  const program = join(import.meta.dirname, 'memory-load.ts');
  const command = [process.execPath, program, addresses.imds, `${requests}`, `${connections}`];
  const began = performance.now();
  const changes = setInterval(() => void lab.kube.apply(crowdPod(1, String(performance.now()))), changeMs);
  const { code, stdout, stderr } = await lab
    .exec('demo', command, { timeoutMs: 20 * 60_000 })
    .finally(() => clearInterval(changes));
  if (code !== 0) throw new Error(`the load ended with ${code}: ${stderr}`);
  return {
    seconds: (performance.now() - began) / 1000,
    outcomes: JSON.parse(stdout) as Record<string, number>,
  };
}
