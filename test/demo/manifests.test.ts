import { readdirSync, readFileSync } from 'node:fs';
import type { V1Deployment, V1Job, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import t from 'tap';
import { loadDemoConfig } from '../../lib/demo/flags.ts';
import { loadValidatorConfig } from '../../lib/identityvalidator/flags.ts';
import { manifestAt as at, filled as filledWith } from './filled.ts';

/** What the AKS documentation has its readers export, and the Key Vault beside it. */
const exported: Readonly<Record<string, string>> = {
  POD_IDENTITY_NAME: 'my-pod-identity',
  IDENTITY_CLIENT_ID: 'b26dbaf0-8ad7-4fb2-a68a-3a6ec0ccbe4a',
  IDENTITY_RESOURCE_ID:
    '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i',
  IDENTITY_RESOURCE_GROUP: 'g',
  SUBSCRIPTION_ID: 's',
  KEYVAULT_NAME: 'kv1',
  KEYVAULT_SECRET_NAME: 'demo',
};

const filled = <T>(path: string): T => filledWith(path, exported);
const identity = filled<{ metadata: { name: string }; spec: Record<string, unknown> }>(
  'demo/aadpodidentity.yaml',
);
const binding = filled<typeof identity>('demo/aadpodidentitybinding.yaml');
const pod = filled<V1Pod>('demo/demo.yaml');
const deployment = filled<V1Deployment>('demo/deployment.yaml');
const job = filled<V1Job>('identityvalidator/job.yaml');
const templates = { pod, deployment: deployment.spec?.template, job: job.spec?.template };

t.test('the pods are labelled as the binding selects, and the binding names the identity', async (t) => {
  t.equal(binding.spec.azureIdentity, identity.metadata.name);
  for (const [name, template] of Object.entries(templates))
    t.equal(template?.metadata?.labels?.aadpodidbinding, binding.spec.selector, name);
});

t.test(
  'the pod is named as the documentation asks for it, and the Deployment holds the same pod',
  async (t) => {
    t.equal(pod.metadata?.name, 'demo');
    t.same(deployment.spec?.template.spec, pod.spec);
    t.match(deployment.spec?.template.metadata?.labels, deployment.spec?.selector.matchLabels);
  },
);

t.test('the arguments are flags of the programs, and reach the fields that they are meant for', async (t) => {
  t.match(loadDemoConfig(pod.spec?.containers[0]?.args ?? [], {}), {
    subscriptionId: exported.SUBSCRIPTION_ID,
    clientId: exported.IDENTITY_CLIENT_ID,
    resourceGroup: exported.IDENTITY_RESOURCE_GROUP,
  });
  const args = job.spec?.template.spec?.containers[0]?.args ?? [];
  t.match(loadValidatorConfig(args, {}), {
    clientId: exported.IDENTITY_CLIENT_ID,
    resourceId: exported.IDENTITY_RESOURCE_ID,
    vaultName: exported.KEYVAULT_NAME,
    secretName: exported.KEYVAULT_SECRET_NAME,
    secretValue: 'test-value',
  });
  const tokensAlone = args.map((arg) => arg.replace(/(--keyvault-[a-z-]+=).*/, '$1'));
  t.match(loadValidatorConfig(tokensAlone, {}), { vaultName: '', secretName: '' });
});

t.test(
  'nothing runs as root, with a capability, a writable file or a way to the Kubernetes API',
  async (t) => {
    for (const [name, template] of Object.entries(templates)) {
      const spec: V1PodSpec | undefined = template?.spec;
      t.match(spec, {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } },
      });
      t.equal(spec?.containers.length, 1);
      t.same(spec?.volumes, undefined);
      t.same(
        spec?.containers[0]?.securityContext,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        name,
      );
      t.equal(spec?.containers[0]?.image, 'docker.io/library/pod-identity:dev');
      const [command = ''] = spec?.containers[0]?.command ?? [];
      t.ok(
        readdirSync(new URL('../../bin', import.meta.url)).includes(
          command.replace('/pod-identity/bin/', ''),
        ),
      );
    }
  },
);

t.test('a file whose variables nobody has filled in is one that no API server takes', async (t) => {
  for (const folder of ['demo', 'identityvalidator'])
    for (const file of readdirSync(at(folder))) {
      const text = readFileSync(at(`${folder}/${file}`), 'utf8');
      t.match(
        text,
        /^ +(name|aadpodidbinding): \$POD_IDENTITY_NAME(-binding)?$/m,
        `${file}: $ is in no name and in no label`,
      );
    }
});
