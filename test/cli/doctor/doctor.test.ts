import t from 'tap';
import { exit } from '../../../lib/cli/exit.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { bindingObject, identityObject } from '../../lab/objects.ts';
import { type CliRig, cliRig } from '../rig.ts';

interface Told {
  readonly checks: readonly {
    readonly check: string;
    readonly answer: string;
    readonly findings: readonly { readonly what: string }[];
    readonly untold: readonly string[];
  }[];
}

/** An agent that is not ready, a pod that is led astray, and an identity that is not there. */
function seed({ api }: CliRig): void {
  api.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node1', labels: { 'kubernetes.io/os': 'linux' } },
  });
  api.put({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { namespace: 'kube-system', name: 'nmi-x', labels: { component: 'nmi' } },
    spec: {
      ...{ nodeName: 'node1', hostNetwork: true, serviceAccountName: 'nmi' },
      containers: [
        { name: 'nmi', image: 'pod-identity:0.1.0', args: ['--node=node1', '--operation-mode=managed'] },
      ],
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False', message: 'not so' }] },
  });
  api.put({
    ...{ apiVersion: 'v1', kind: 'Event', reason: 'Unhealthy', type: 'Warning' },
    metadata: { namespace: 'kube-system', name: 'nmi-x.1' },
    involvedObject: { kind: 'Pod', namespace: 'kube-system', name: 'nmi-x' },
    message: 'Readiness probe failed: the rules are missing',
    lastTimestamp: '2026-01-01T00:00:00Z',
  });
  api.put({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { namespace: 'shop', name: 'web', labels: { aadpodidbinding: 'demo' } },
    spec: {
      nodeName: 'node1',
      containers: [{ name: 'app', image: 'app', env: [{ name: 'MSI_ENDPOINT', value: 'http://x' }] }],
    },
    status: { phase: 'Running', hostIP: '10.1.0.4' },
  });
  api.put(bindingObject('demo-binding', 'shop', 'demo', 'demo'));
}

t.test('reads a cluster and tells what is wrong with it', async (t) => {
  const rig = await cliRig(t);
  seed(rig);
  const { checks } = (await rig.json(['doctor'])) as Told;
  const said = (name: string): string[] =>
    checks.find(({ check }) => check === name)?.findings.map(({ what }) => what) ?? [];
  t.match(said('agents'), [
    'kube-system/nmi-x on node1 is not ready: Unhealthy: Readiness probe failed: the rules are missing',
  ]);
  t.match(said('endpoints'), [/shop\/web has MSI_ENDPOINT/]);
  t.match(said('identities'), [/names AzureIdentity demo, which does not exist/]);
  t.same(said('mic'), [], 'managed mode, as the command line of the agent says');
  t.match(
    (await rig.podid(['doctor', '--operation-mode=standard'])).stdout,
    /standard mode, and there is no MIC/,
  );
  t.equal((await rig.podid(['doctor'])).status, exit.no);
});

t.test("reads Cilium's settings", async (t) => {
  const rig = await cliRig(t);
  const data = { 'kube-proxy-replacement': 'true', 'enable-bpf-masquerade': 'true' };
  rig.api.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'cilium-config' },
    data,
  });
  t.match((await rig.podid(['doctor'])).stdout, 'error: Cilium replaces kube-proxy');
});

t.test('marks its answers with colours on a terminal, and nowhere else', async (t) => {
  const rig = await cliRig(t);
  t.match((await rig.podid(['doctor'], { terminal: true })).stdout, '\x1b[31m✗\x1b[39m');
  t.notMatch((await rig.podid(['doctor'])).stdout, '\x1b');
});

t.test('finds an object whose fields have a wrong type', async (t) => {
  const rig = await cliRig(t);
  const { kind, apiVersion, metadata } = identityObject('demo', 'shop', sampleIdentity('demo'));
  rig.api.put({ kind, apiVersion, metadata, spec: { clientID: 7 } });
  t.match(
    (await rig.podid(['doctor'])).stdout,
    /Objects with fields of a wrong type: azureidentities shop\/demo/,
  );
});

t.test('ends with one sentence where the API server cannot be reached', async (t) => {
  const rig = await cliRig(t);
  await rig.api.fault({ away: true });
  const { status, stdout, stderr } = await rig.podid(['doctor']);
  t.equal(status, exit.unknown);
  t.equal(stdout, '');
  t.match(stderr, /^podid: pods: [^\n]+\n$/);
});

t.test('does not say that no agent runs where agents may not be read', async (t) => {
  const { api, json } = await cliRig(t);
  const rules = [{ verbs: ['*'], groups: ['*'], resources: ['azureidentities', 'daemonsets'] }];
  await api.fault({ tokens: { 'admin-token': { name: 'dev', rules } } });
  const { checks } = (await json(['doctor'])) as Told;
  for (const name of ['agents', 'rights', 'backend', 'bridges'])
    t.match(
      checks.find(({ check }) => check === name),
      { answer: 'unknown', untold: ['pods: no right to list and watch pods'] },
    );
});

t.test('tells what it has no right to see, and changes nothing', async (t) => {
  const rig = await cliRig(t);
  seed(rig);
  const rules = [{ verbs: ['get', 'list'], groups: ['aadpodidentity.k8s.io'], resources: ['*'] }];
  await rig.api.fault({ tokens: { tenant: { name: 'tenant', rules } } });
  rig.api.clearRequests();
  const { status, stdout } = await rig.podid(['doctor'], { token: 'tenant' });
  t.equal(status, exit.unknown);
  t.match(
    stdout,
    /\? Labels and bindings find each other\n +could not tell: pods: no right to list and watch pods/,
  );
  t.match(stdout, /✓ Fields are written as they are read/);
  t.same([...new Set(rig.api.requests().map(({ method }) => method))], ['GET']);
});
