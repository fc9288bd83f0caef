import t from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { loadMicConfig } from '../../lib/config/load-mic.ts';
import { filledIn, type Manifest, podSpecOf, the } from './manifests.ts';
import { overlay, withoutKubectl } from './render.ts';

/** What each overlay installs, rendered by kubectl. */
const skip = await withoutKubectl();
const standing = [
  'CustomResourceDefinition azureassignedidentities.aadpodidentity.k8s.io',
  'CustomResourceDefinition azureidentities.aadpodidentity.k8s.io',
  'CustomResourceDefinition azureidentitybindings.aadpodidentity.k8s.io',
  'CustomResourceDefinition azurepodidentityexceptions.aadpodidentity.k8s.io',
  'ClusterRole aad-pod-identity-edit',
  'ClusterRole aad-pod-identity-view',
  'ClusterRole aad-pod-id-nmi-role',
  'ClusterRoleBinding aad-pod-id-nmi-binding',
];
const agentIn = (namespace: string): string[] =>
  [
    'ServiceAccount aad-pod-id-nmi-service-account',
    'Role aad-pod-id-nmi-role',
    'RoleBinding aad-pod-id-nmi-binding',
    'DaemonSet nmi',
  ].map((name) => `${namespace} ${name}`);
const mic = [
  'ClusterRole aad-pod-id-mic-role',
  'ClusterRoleBinding aad-pod-id-mic-binding',
  ...[
    'ServiceAccount aad-pod-id-mic-service-account',
    'Role aad-pod-id-mic-role',
    'RoleBinding aad-pod-id-mic-binding',
    'Deployment mic',
    'Lease aad-pod-identity-mic',
    'ConfigMap aad-pod-identity-config',
    'PodDisruptionBudget mic-pdb',
  ].map((name) => `default ${name}`),
];
const inStandardMode = [...standing, ...agentIn('default'), ...mic];
const installs: Readonly<Record<string, readonly string[]>> = {
  standard: inStandardMode,
  noazurejson: inStandardMode,
  privileged: inStandardMode,
  'service-principal': inStandardMode,
  managed: [...standing.slice(1), ...agentIn('kube-system')],
};
const nameOf = ({ kind, metadata: { namespace, name } }: Manifest): string =>
  [namespace, kind, name].filter((part) => part !== undefined).join(' ');
const rendered = new Map<string, readonly Manifest[]>();
for (const name of skip ? [] : Object.keys(installs)) rendered.set(name, await overlay(`overlays/${name}`));
const of = (name: string): readonly Manifest[] => rendered.get(name) ?? [];

for (const [name, objects] of Object.entries(installs))
  t.test(
    `${name} installs what it is for, in the namespace of the original's, and nothing else`,
    { skip },
    async (t) => {
      t.same(of(name).map(nameOf).sort(), [...objects].sort());
      const bound = of(name).flatMap(({ subjects = [] }) => subjects.map(({ namespace }) => namespace));
      t.same([...new Set(bound)], [name === 'managed' ? 'kube-system' : 'default']);
    },
  );

for (const name of Object.keys(installs))
  t.test(
    `${name} gives the programs arguments that they take, and the agent its mode`,
    { skip },
    async (t) => {
      const agent = podSpecOf(the('DaemonSet', 'nmi', of(name))).containers[0];
      const operationMode = name === 'managed' ? 'managed' : 'standard';
      t.match(loadNmiConfig(filledIn(agent.args), {}), {
        operationMode,
        node: 'node1',
        nmiListenAddress: '10.0.0.4',
      });
      const [deployment] = of(name).filter(({ kind }) => kind === 'Deployment');
      if (deployment)
        loadMicConfig(filledIn(podSpecOf(deployment).containers[0].args), { MIC_POD_NAMESPACE: 'default' });
      t.equal(deployment === undefined, name === 'managed');
    },
  );

for (const name of Object.keys(installs).filter((name) => name !== 'privileged'))
  t.test(
    `${name} gives the agent two capabilities and nothing else of the node's root`,
    { skip },
    async (t) => {
      const { containers, securityContext, ...spec } = podSpecOf(the('DaemonSet', 'nmi', of(name)));
      t.same(containers[0].securityContext, {
        runAsUser: 0,
        runAsGroup: 0,
        privileged: false,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
      });
      t.same(securityContext, { seccompProfile: { type: 'RuntimeDefault' } });
      t.match(spec, {
        hostNetwork: true,
        priorityClassName: 'system-node-critical',
        tolerations: [{ operator: 'Exists' }],
      });
      t.notOk(spec.hostPID || spec.hostIPC || containers[0].ports, 'no port, which would be the host’s');
      t.same(
        spec.volumes?.map((volume) => volume.name),
        ['probe', 'xtables-lock', 'kubelet-config'],
      );
    },
  );

t.test(
  'an agent may end in its own time: its grace is longer than what it gives itself',
  { skip },
  async (t) => {
    for (const name of Object.keys(installs))
      t.ok(Number(podSpecOf(the('DaemonSet', 'nmi', of(name))).terminationGracePeriodSeconds) > 20);
  },
);

t.test(
  'MIC is nobody where a Secret lets it be, and root without rights where azure.json does not',
  { skip },
  async (t) => {
    const own = {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    };
    for (const [name, user] of [
      ['noazurejson', 65532],
      ['standard', 0],
    ] as const) {
      const { containers, securityContext, volumes } = podSpecOf(the('Deployment', 'mic', of(name)));
      t.same(containers[0].securityContext, own);
      t.match(securityContext, {
        runAsUser: user,
        runAsNonRoot: user !== 0,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      t.equal(
        containers[0].env?.some((variable) => variable.name === 'CLIENT_SECRET'),
        user !== 0,
      );
      t.equal(volumes?.some((volume) => volume.name === 'azure-json') ?? false, user === 0);
    }
  },
);

t.test('an update starts the new agent beside the old one', { skip }, async (t) => {
  for (const name of Object.keys(installs))
    t.same(the('DaemonSet', 'nmi', of(name)).spec?.updateStrategy?.rollingUpdate, {
      maxSurge: 1,
      maxUnavailable: 0,
    });
});

t.test(
  'without the component `today` nothing is there that a server of 1.20 refuses',
  { skip },
  async (t) => {
    const base = await overlay('base');
    t.same(
      base.filter(({ kind }) => kind === 'PodDisruptionBudget'),
      [],
    );
    t.same(the('DaemonSet', 'nmi', base).spec?.updateStrategy?.rollingUpdate, { maxUnavailable: 1 });
  },
);

t.test('the selectors are the original’s, which cannot be changed in place', { skip }, async (t) => {
  const selector = (kind: string, name: string): unknown => the(kind, name, of('standard')).spec?.selector;
  t.same(selector('DaemonSet', 'nmi'), { matchLabels: { component: 'nmi', tier: 'node' } });
  t.same(selector('Deployment', 'mic'), { matchLabels: { app: 'mic', component: 'mic' } });
});

t.test(
  'nothing of an overlay is an object of its own definitions, which kubectl could not apply at once',
  { skip },
  async (t) => {
    for (const name of Object.keys(installs)) {
      const defined = of(name).flatMap(({ kind, spec }) =>
        kind === 'CustomResourceDefinition'
          ? [(spec as unknown as { names: { kind: string } }).names.kind]
          : [],
      );
      t.ok(defined.length >= 3);
      t.same(
        of(name).filter(({ kind }) => defined.includes(kind)),
        [],
        name,
      );
    }
  },
);

t.test("the agent serves AKS's add-ons as the node", { skip }, async (t) => {
  for (const name of Object.keys(installs)) {
    const { args } = podSpecOf(the('DaemonSet', 'nmi', of(name))).containers[0];
    t.equal(loadNmiConfig(filledIn(args), {}).aksAddonException, true, name);
  }
});
