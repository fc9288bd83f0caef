import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { loadMicConfig } from '../../lib/config/load-mic.ts';
import { daemonset, filledIn, type Manifest, podSpecOf, the } from './manifests.ts';
import { everyValue, fromTheDocs } from './original-values.ts';
import { chart, lint, overlay, withoutHelm, withoutKubectl } from './render.ts';

/** The chart, rendered by helm. */
const skip = await withoutHelm();
const skipBoth = skip || (await withoutKubectl());
const [nmi, mic] = ['aad-pod-identity-nmi', 'aad-pod-identity-mic'];
const kindsOf = (objects: readonly Manifest[]): string[] => [...new Set(objects.map(({ kind }) => kind))];
const configOf = (objects: readonly Manifest[]) => ({
  nmi: loadNmiConfig(filledIn(podSpecOf(the('DaemonSet', nmi, objects)).containers[0].args), {}),
  mic: (): ReturnType<typeof loadMicConfig> => {
    const { args } = podSpecOf(the('Deployment', mic, objects)).containers[0];
    return loadMicConfig(filledIn(args), { MIC_POD_NAMESPACE: 'default' });
  },
});

t.test('helm finds no fault with it', { skip }, async (t) => {
  const { code, stdout } = await lint();
  t.equal(code, 0, stdout);
});

t.test('it has the version of this release, and its custom resource definitions', async (t) => {
  const read = (path: string): string => readFileSync(join(daemonset, path), 'utf8');
  const { version } = JSON.parse(read('../package.json')) as { version: string };
  t.match(read('chart/Chart.yaml'), new RegExp(`^version: ${version}\\nappVersion: ${version}$`, 'm'));
  const definitions = readdirSync(join(daemonset, 'crds')).filter((name) => name !== 'kustomization.yaml');
  t.same(readdirSync(join(daemonset, 'chart/crds')).sort(), definitions.sort());
  for (const name of definitions) t.equal(read(`chart/crds/${name}`), read(`crds/${name}`), name);
});

/** A pod's specification without the names that differ on purpose. */
function comparable(manifest: Manifest): object {
  const { serviceAccountName: _name, affinity: _byLabels, ...spec } = podSpecOf(manifest);
  return { ...spec, update: manifest.spec?.updateStrategy, replicas: manifest.spec?.replicas };
}

for (const [name, values] of [
  ['standard', {}],
  ['managed', { operationMode: 'managed' }],
  ['privileged', { nmi: { privileged: true } }],
  ['service-principal', { rbac: { allowAccessToSecrets: true } }],
] as const)
  t.test(`it installs what the overlay ${name} does, under other names`, { skip: skipBoth }, async (t) => {
    const namespace = name === 'managed' ? 'kube-system' : 'default';
    const { objects } = await chart({ values, namespace });
    const plain = await overlay(`overlays/${name}`);
    t.same(comparable(the('DaemonSet', nmi, objects)), comparable(the('DaemonSet', 'nmi', plain)));
    t.same(the('ClusterRole', nmi, objects).rules, the('ClusterRole', 'aad-pod-id-nmi-role', plain).rules);
    if (name === 'managed') {
      t.same(kindsOf(objects).includes('Deployment'), false);
      return;
    }
    t.same(comparable(the('Deployment', mic, objects)), comparable(the('Deployment', 'mic', plain)));
    t.same(the('ClusterRole', mic, objects).rules, the('ClusterRole', 'aad-pod-id-mic-role', plain).rules);
    const roles = ['-leader', ''].flatMap((end) => the('Role', `${mic}${end}`, objects).rules ?? []);
    // The overlay brings the Lease along; helm could not take over one that is there.
    const create = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] };
    t.same(roles, [create, ...(the('Role', 'aad-pod-id-mic-role', plain).rules ?? [])]);
    t.ok(kindsOf(objects).includes('PodDisruptionBudget'));
  });

for (const [name, values] of Object.entries(fromTheDocs))
  t.test(`it takes the original's values: ${name}`, { skip }, async (t) => {
    const { objects, refusal } = await chart({ values });
    t.equal(refusal, '');
    const config = configOf(objects);
    t.equal(config.nmi.node, 'node1');
    if (!('operationMode' in values)) t.ok(config.mic().namespace);
  });

t.test('every value of the original that has an effect has it', { skip }, async (t) => {
  const { objects, refusal } = await chart({ values: everyValue.values, namespace: 'identity' });
  t.equal(refusal, '');
  const config = configOf(objects);
  t.match(config.nmi, everyValue.nmi);
  t.match(config.mic(), everyValue.mic);
  t.match(podSpecOf(the('Deployment', mic, objects)), everyValue.micSpec);
  t.match(podSpecOf(the('DaemonSet', nmi, objects)), everyValue.nmiSpec);
  for (const kind of ['Secret', 'AzureIdentity', 'AzureIdentityBinding'])
    t.ok(kindsOf(objects).includes(kind), kind);
  t.match(the('AzureIdentity', 'sp', objects), {
    metadata: { namespace: 'shop' },
    spec: { type: 1, clientPassword: { name: 'sp', namespace: 'shop' } },
  });
});

t.test('a server of before 1.22 is not asked for what it does not have', { skip }, async (t) => {
  const { objects } = await chart({ version: '1.20.2' });
  t.notOk(kindsOf(objects).includes('PodDisruptionBudget'));
  t.same(the('DaemonSet', nmi, objects).spec?.updateStrategy?.rollingUpdate, { maxUnavailable: 1 });
});

t.test('images of the original are passed over, and a mirror of them is refused', { skip }, async (t) => {
  const imageWith = async (repository: string, tag: string): Promise<string> => {
    const { objects, refusal } = await chart({ values: { image: { repository }, nmi: { tag } } });
    return refusal || podSpecOf(the('DaemonSet', nmi, objects)).containers[0].image;
  };
  t.equal(await imageWith('mcr.microsoft.com/oss/azure/aad-pod-identity', 'v1.8.17'), 'pod-identity:dev');
  t.match(await imageWith('registry.example.com/mirror', 'v1.8.17'), /push the image of this release there/);
  t.equal(
    await imageWith('registry.example.com/mirror', 'v2'),
    'registry.example.com/mirror/pod-identity:v2',
  );
});

t.test('a value that does not exist is refused, and "false" is false', { skip }, async (t) => {
  t.match((await chart({ values: { nmi: { probePrt: 1 } } })).refusal, /probePrt/);
  t.match((await chart({ values: { forceNameSpaced: 'true' } })).refusal, /forceNameSpaced/);
  const { objects } = await chart({ values: { installMICException: 'false', forceNamespaced: 'false' } });
  t.notOk(kindsOf(objects).includes('AzurePodIdentityException'));
  t.equal(configOf(objects).nmi.aksAddonException, false);
  t.equal(configOf(objects).nmi.forceNamespaced, false);
});

t.test(
  'the agent may read Secrets of all namespaces, of some, or, unless told, of none',
  { skip },
  async (t) => {
    const roles = async (rbac: object): Promise<string[]> => {
      const { objects } = await chart({ values: { rbac } });
      const reading = objects.filter(({ rules = [] }) =>
        rules.some(({ resources }) => resources.includes('secrets')),
      );
      return reading.map(({ kind, metadata: { namespace = '' } }) => `${kind} ${namespace}`);
    };
    t.same(await roles({}), []);
    t.same(await roles({ allowAccessToSecrets: true }), ['ClusterRole ']);
    t.same(await roles({ secretNamespaces: ['shop', 'bank'] }), ['Role shop', 'Role bank']);
  },
);

t.test('what is needed and not given is refused by its name', { skip }, async (t) => {
  const refusal = async (values: object): Promise<string> => (await chart({ values })).refusal;
  t.match(
    await refusal({ adminsecret: { cloud: 'AzurePublicCloud' } }),
    /adminsecret\.subscriptionID is missing/,
  );
  const demo = { clientID: 'c', binding: { selector: 'demo' } };
  t.match(await refusal({ azureIdentities: { demo } }), /azureIdentities\.demo\.resourceID is missing/);
});
