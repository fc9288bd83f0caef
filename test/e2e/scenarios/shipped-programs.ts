import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { filled } from '../../demo/filled.ts';
import { eventually } from '../../lab/eventually.ts';
import type { KubeInput, KubeObject } from '../../lab/kube/object.ts';
import { azureIdentity, bind, unbind } from '../bindings.ts';
import { long } from '../patience.ts';
import type { Scenario, Stage } from '../stage.ts';
import { image, namespace, removePods } from '../workload.ts';

const group = 'e2e-demo';
const vm = { kind: 'vm', subscription: 'e2e', resourceGroup: group, name: 'counted' } as const;
const vmId = `/subscriptions/e2e/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/counted`;
const endpoint = 'http://169.254.169.254/metadata/identity/oauth2/token';

/** What the documentation has its readers export. */
const exported = (name: string): Readonly<Record<string, string>> => ({
  POD_IDENTITY_NAME: name,
  IDENTITY_CLIENT_ID: azureIdentity(name).clientId,
  IDENTITY_RESOURCE_ID: azureIdentity(name).resourceId,
  IDENTITY_RESOURCE_GROUP: group,
  SUBSCRIPTION_ID: vm.subscription,
  // Empty, as documented: tokens alone.
  KEYVAULT_NAME: '',
  KEYVAULT_SECRET_NAME: '',
});

interface Template {
  readonly containers: [Record<string, unknown> & { env: object[] }];
  volumes?: object[];
}

/** Lets the pod's one container take the lab for its cloud, by the ConfigMap `clouds`; all else is as it is shipped. */
function inTheLab(spec: Template): void {
  const [container] = spec.containers;
  container.image = image;
  container.env.push(
    { name: 'AZURE_ENVIRONMENT', value: 'AzureStackCloud' },
    { name: 'AZURE_ENVIRONMENT_FILEPATH', value: '/clouds/environment.json' },
    { name: 'NODE_EXTRA_CA_CERTS', value: '/clouds/ca.crt' },
  );
  container.volumeMounts = [{ name: 'clouds', mountPath: '/clouds', readOnly: true }];
  spec.volumes = [{ name: 'clouds', configMap: { name: 'clouds' } }];
}

async function applyShipped({ kubectl }: Stage, object: KubeInput, pod: unknown): Promise<void> {
  inTheLab(pod as Template);
  await kubectl.apply({ ...object, metadata: { ...object.metadata, namespace } });
}

/** A cloud with one VM, which the ConfigMap `clouds` describes. */
async function cloudWithVm({ kubectl, arm }: Stage): Promise<void> {
  await arm.addMachines(vm);
  const data = {
    'ca.crt': readFileSync(arm.caFile, 'utf8'),
    'environment.json': readFileSync(arm.environmentFile, 'utf8'),
  };
  await kubectl.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'clouds', namespace }, data });
}

/** The demo's three files, as the documentation applies them. */
async function applyDemo(stage: Stage): Promise<void> {
  for (const path of ['demo/aadpodidentity.yaml', 'demo/aadpodidentitybinding.yaml']) {
    const object = filled<KubeInput>(path, exported('demo'));
    await stage.kubectl.apply({ ...object, metadata: { ...object.metadata, namespace } });
  }
  const pod = filled<KubeInput>('demo/demo.yaml', exported('demo'));
  await applyShipped(stage, pod, pod.spec);
}

export const demo: Scenario = {
  name: 'the demo, as shipped: counts VMs, gets tokens, and logs the lines to look for and no token',
  async run(stage) {
    const { kubectl, imds, arm } = stage;
    const { clientId } = azureIdentity('demo');
    await imds.assign(azureIdentity('demo'));
    await cloudWithVm(stage);
    await applyDemo(stage);
    const lines = [
      'successfully doARMOperations vm count 1',
      `successfully acquired a token using the MSI, msiEndpoint(${endpoint})`,
      `successfully acquired a token, userAssignedID MSI, msiEndpoint(${endpoint}) clientID(${clientId})`,
      'successfully made GET on instance metadata',
    ];
    const whole = async (): Promise<string | undefined> => {
      const text = await kubectl.logs(namespace, 'demo');
      return lines.every((line) => text.includes(line)) ? text : undefined;
    };
    assertNoToken(await eventually(`the log has ${lines.join(', ')}`, whole, long));
    await removePods(kubectl, 'demo');
    await arm.removeMachines(vmId);
    await kubectl.delete('azureidentitybinding', 'demo-binding', '-n', namespace);
  },
};

/** Runs the Job to its end, and gives the state of its container. */
async function validated(stage: Stage, name: string, identity: string): Promise<Terminated> {
  const { kubectl } = stage;
  const job = filled<KubeInput>('identityvalidator/job.yaml', exported(identity));
  const { template } = job.spec as { template: { spec: unknown } };
  await applyShipped(stage, { ...job, metadata: { ...job.metadata, name } }, template.spec);
  return eventually(
    `Job ${name} ends`,
    async () => {
      const [pod] = await kubectl.list('pods', '-n', namespace, '-l', `job-name=${name}`);
      return pod && terminatedIn(pod);
    },
    long,
  );
}

interface Terminated {
  readonly exitCode: number;
  readonly message?: string;
}

function terminatedIn({ status }: KubeObject): Terminated | undefined {
  const [container] = (status?.containerStatuses ?? []) as readonly { state: { terminated?: Terminated } }[];
  return container?.state.terminated;
}

export const validator: Scenario = {
  name: 'the identity validator, as shipped: its Job completes where the identity is well',
  async run(stage) {
    const { kubectl, imds } = stage;
    const { clientId, resourceId } = azureIdentity('demo');
    await bind(stage, 'demo');
    const { exitCode } = await validated(stage, 'well', 'demo');
    const [pod] = await kubectl.list('pods', '-n', namespace, '-l', 'job-name=well');
    const log = await kubectl.logs(namespace, pod?.metadata.name ?? '');
    assert.equal(exitCode, 0, log);
    for (const id of [`clientID(${clientId})`, `resourceID(${resourceId})`])
      assert.ok(log.includes(`successfully verified user-assigned identity on pod, ${id}: got a token`), log);
    assert.ok(log.includes(`successfully acquired a token using the MSI, msiEndpoint(${endpoint})`), log);
    assertNoToken(log);
    await kubectl.delete('job', 'well', '-n', namespace);
    await unbind(stage, 'demo');
    await imds.unassign(clientId);
  },
};

export const validatorFails: Scenario = {
  name: 'the identity validator fails with exit status 1 and the reason where Azure refuses',
  async run(stage) {
    const { kubectl, imds } = stage;
    await bind(stage, 'unwell');
    const body = JSON.stringify({ error: 'invalid_request', error_description: 'the lab refuses' });
    const path = '/metadata/identity/oauth2/token';
    await imds.fault({ kind: 'status', status: 400, body, path, count: 100 });
    try {
      const { exitCode, message = '' } = await validated(stage, 'unwell', 'unwell');
      assert.equal(exitCode, 1, message);
      assert.match(message, /failed to verify user-assigned identity on pod, clientID.*the lab refuses/);
      assertNoToken(message);
      const job = await kubectl.get('job', 'unwell', namespace);
      assert.equal(job?.status?.failed, 1, 'the Job is not tried again');
    } finally {
      await imds.clearFaults();
    }
    await kubectl.delete('job', 'unwell', '-n', namespace);
    await unbind(stage, 'unwell');
  },
};

function assertNoToken(text: string): void {
  assert.doesNotMatch(text, /eyJ[\w-]{10}|[\w-]{200}|Bearer/);
}
