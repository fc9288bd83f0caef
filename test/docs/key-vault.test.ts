import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import t from 'tap';
import type { ExecResult } from '../../lib/platform/exec.ts';
import { nodeName } from '../lab/addresses.ts';
import { eventually } from '../lab/eventually.ts';
import { claimsOf, sampleIdentity } from '../lab/imds/token.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { createLab, type Lab } from '../lab/lab.ts';
import { unavailable } from '../lab/namespaces.ts';
import { assign, metric, standardAgent } from '../lab/nmi/standard-scene.ts';
import { codeIn, textOf } from './pages.ts';

/** The walk-through of Key Vault, by its own commands and objects: what the driver asks before the pod's containers start. */
const skip = unavailable() ?? false;
const page = textOf('docs/key-vault.md');
const vault = 'https://vault.azure.net';
const reader = sampleIdentity('vault-reader');
const podid = join(import.meta.dirname, '../../bin/podid');

/** The line of the page that begins so, with its variables filled in, and without the next, which hides the token. */
function lineOf(start: string): string {
  const line = codeIn(page).find((each) => each.startsWith(start));
  if (line === undefined) throw new Error(`the page has no line ${start}`);
  return line.replace('$ID', reader.resourceId).replace('$CLIENT', reader.clientId).replace(/ \\$/, '');
}

/** The page's pod, scheduled and held up by its volume: it has no address and no container yet. */
function podOfPage(): KubeInput {
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) =>
    loadYaml<KubeInput>(block),
  );
  const pod = blocks.find(({ kind }) => kind === 'Pod');
  if (!pod) throw new Error('the page has no pod');
  return { ...pod, spec: { ...(pod.spec as object), nodeName }, status: { phase: 'Pending' } };
}

function runOf(lab: Lab, line: string): Promise<ExecResult> {
  return lab.onNode(['env', `KUBECONFIG=${lab.folder}/admin.kubeconfig`, 'sh', '-c', line], {
    timeoutMs: 90_000,
  });
}

t.test(
  "the walk-through's commands bring the driver a token of the pod's identity for Key Vault",
  { skip },
  async (t) => {
    const lab = await createLab();
    t.teardown(() => lab.down());
    const agent = await standardAgent(lab);
    await lab.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'my-app' } });
    const made = await runOf(lab, lineOf('podid add').replace('podid', podid));
    t.equal(made.code, 0, made.stderr);
    await lab.kube.apply(podOfPage());

    // The driver comes before MIC is done, and the kubelet would come again; one call is enough here, since curl's is held.
    const asked = runOf(lab, lineOf('curl -sS -H'));
    await eventually(
      'the driver waits',
      async () => (await metric(lab, agent, 'podidentity_waiting_requests')) === 1,
    );
    await lab.imds.assign(reader);
    await assign(lab, { name: 'app', namespace: 'my-app' }, { ...(await madeBy(lab)), state: 'Assigned' });

    const { token, clientid } = JSON.parse((await asked).stdout) as {
      readonly token: { readonly access_token: string };
      readonly clientid: string;
    };
    t.equal(clientid, reader.clientId);
    t.match(claimsOf(token.access_token), { appid: reader.clientId, aud: vault });
  },
);

/** What `podid add` has written. */
async function madeBy(lab: Lab): Promise<{ readonly identity: KubeInput; readonly binding: KubeInput }> {
  const namespace = 'my-app';
  const identity = await lab.kube.get('AzureIdentity', 'vault-reader', { namespace });
  const binding = await lab.kube.get('AzureIdentityBinding', 'vault-reader-binding', { namespace });
  if (!identity || !binding) throw new Error('podid add has written nothing');
  return { identity, binding };
}
