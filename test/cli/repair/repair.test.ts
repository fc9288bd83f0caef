import t from 'tap';
import { exit } from '../../../lib/cli/exit.ts';
import { assignmentFinalizer } from '../../../lib/model/assigned-object.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { assignedObject, bindingObject, identityObject } from '../../lab/objects.ts';
import { type CliRig, cliRig } from '../rig.ts';

const identity = identityObject('demo', 'my-app', sampleIdentity('demo'));
const binding = bindingObject('demo-binding', 'my-app', 'demo', 'demo');

function assign({ api }: CliRig, pod: string, deleted = false): void {
  const made = assignedObject({ name: pod, namespace: 'my-app' }, { identity, binding, state: 'Assigned' });
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  const metadata = {
    ...made.metadata,
    finalizers: [assignmentFinalizer],
    ...(deleted && { deletionTimestamp }),
  };
  api.put({ ...made, metadata });
}

let renewals = 0;

/** Each call is a renewal. */
function lease({ api }: CliRig, holderIdentity: string): void {
  renewals += 1;
  api.put({
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: { namespace: 'default', name: 'aad-pod-identity-mic' },
    spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: renewals },
  });
}

function micPod({ api }: CliRig, status: string, name = 'mic-0'): void {
  api.put({
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: { namespace: 'kube-system', name, labels: { app: 'mic', component: 'mic' } },
    spec: { nodeName: 'node1', containers: [{ name: 'mic', image: 'pod-identity' }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status }] },
  });
}

function stands({ api }: CliRig, pod: string): boolean {
  return api.get('AzureAssignedIdentity', 'default', `${pod}-my-app-demo`) !== undefined;
}

t.test('releases finalizers and assignments of vanished pods, and says what stays in Azure', async (t) => {
  const rig = await cliRig(t);
  lease(rig, 'mic-dead');
  assign(rig, 'stuck', true);
  assign(rig, 'gone');
  const dry = await rig.podid(['repair', '--dry-run']);
  t.equal(dry.status, exit.no);
  t.same(await rig.podid(['repair', '--dry-run=client']), dry);
  t.match(dry.stdout, /my-app\/gone +its pod is gone +to be released/);
  t.ok(stands(rig, 'gone'), 'a dry run writes nothing');
  const { status, stdout, stderr } = await rig.podid(['repair']);
  t.equal(status, exit.ok);
  t.match(stderr, 'looking whether MIC mic-dead still renews its lease');
  t.match(stdout, /my-app\/stuck +deleted, and its finalizer is left +released/);
  t.match(stdout, /az vm identity remove .*--identities \/subscriptions/);
  t.notOk(stands(rig, 'gone') || stands(rig, 'stuck'));
  t.match(await rig.podid(['repair']), { status: exit.ok, stdout: 'nothing to repair\n' });
});

t.test('does nothing of what a living MIC does, ours or the original', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'gone');
  lease(rig, 'mic-0');
  // Each look finds it renewed.
  const renewing = rig.podid(['repair']);
  const busy = setInterval(() => lease(rig, 'mic-0'), 1);
  t.teardown(() => clearInterval(busy));
  t.match(await renewing, { status: exit.wait, stdout: /left to MIC\n\nMIC mic-0 is at work/ });
  t.ok(stands(rig, 'gone'));
  const looks = rig.api.requests().filter(({ path }) => path.includes('/leases/')).length;
  t.ok(looks < 10, `a renewal is enough to know: ${looks} looks`);
});

t.test('counts a pod of MIC, wherever its lease is, and also while it is not ready', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'gone');
  micPod(rig, 'True');
  t.match(await rig.podid(['repair']), { status: exit.wait, stdout: /MIC kube-system\/mic-0 is at work/ });
  micPod(rig, 'False');
  t.match(await rig.podid(['repair']), {
    status: exit.wait,
    stdout:
      /mic-0 \(not ready\) .*\n.*:\n {2}kubectl scale deployment\/mic --replicas=0 -n kube-system\n {2}.*\/aad-pod-identity-mic --replicas=0/,
  });
  t.ok(stands(rig, 'gone'));
});

t.test('names the Deployment of the MIC that is at work', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'gone');
  micPod(rig, 'True', 'aad-pod-identity-mic-7d9f5b6c8-x2x4z');
  t.match(
    (await rig.podid(['repair'])).stdout,
    'scale deployment/aad-pod-identity-mic --replicas=0 -n kube-system\n',
  );
});

t.test('leaves pods alone whose assignments stand', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'web');
  rig.api.put({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'my-app', name: 'web' } },
    spec: { nodeName: 'node1', containers: [{ name: 'app', image: 'lab' }] },
    status: { phase: 'Running' },
  });
  t.match(await rig.podid(['repair']), { status: exit.ok, stdout: 'nothing to repair\n' });
});

t.test('does nothing where pods cannot be listed: none would look alive', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'web');
  await rig.api.fault({ answer: { count: 9, status: 403, plural: 'pods' } });
  const { status, stderr } = await rig.podid(['repair']);
  t.equal(status, exit.unknown);
  t.match(stderr, 'no right to list and watch pods');
  t.ok(stands(rig, 'web'));
});

t.test('tells which right is missing, and what it has not tried', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'a');
  assign(rig, 'b');
  const rules = [{ verbs: ['get', 'list'], groups: ['*'], resources: ['*'] }];
  await rig.api.fault({ tokens: { reader: { name: 'reader', rules } } });
  const { status, stdout } = await rig.podid(['repair'], { token: 'reader' });
  t.equal(status, exit.unknown);
  t.match(stdout, /my-app\/a .* failed\n.*my-app\/b .* not tried\n\n.*cannot delete resource/);
});

t.test('does nothing where it may not see whether a MIC is at work', async (t) => {
  const rig = await cliRig(t);
  assign(rig, 'a');
  const { status, stderr } = await rig.podid(['repair'], { token: 'nmi-token' });
  t.equal(status, exit.unknown);
  t.match(stderr, /leases/);
  t.ok(stands(rig, 'a'));
});

t.test('has nothing to repair where the CRD is not installed, as in managed mode', async (t) => {
  const rig = await cliRig(t);
  await rig.api.fault({ hide: ['azureassignedidentities'] });
  t.match(await rig.podid(['repair']), { status: exit.ok, stdout: 'nothing to repair\n' });
});
