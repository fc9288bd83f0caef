import t from 'tap';
import { eventually } from '../eventually.ts';
import { unavailable } from '../namespaces.ts';
import * as scene from './scene.ts';

/** MIC where something is missing for a while: it says so, does no harm, stays, and goes on by itself. One lab for all, in turn. */
const skip = unavailable() ?? false;
let all: scene.MicScene;
/** What `/readyz` said while the CRDs were missing. */
let unready = { status: 0, body: '' };

t.before(async () => {
  if (skip) return;
  all = await scene.micScene(t, {
    before: async (lab) => {
      await lab.kube.fault({ hide: ['azureidentities', 'azureidentitybindings'] });
      return {};
    },
    started: async (mic, { lab }) => {
      await eventually('it says what is missing, and of nothing else', async () => {
        unready = await mic.probed('/readyz');
        const lines = unready.body.trim().split('\n').sort();
        return /^azureidentities: .*,azureidentitybindings: /.test(lines.join()) && lines.length === 2;
      });
      await lab.kube.fault({ clear: true });
    },
  });
});

t.test('without its CRDs it is not ready and says why, and is when they come', { skip }, async (t) => {
  const { lab, mic } = all;
  t.equal(unready.status, 503);
  await scene.bind(all, 'first');
  await scene.addPod(lab, 'first');
  t.equal(await scene.tokenOf(lab, 'first'), 'first');
  t.equal(mic.ended(), undefined, 'the same process');
  const config = await lab.kube.get('ConfigMap', 'aad-pod-identity-config');
  t.match(config?.data, { 'type-upgrade-status': /^\d/ }, 'the type upgrade is marked as done');
});

t.test(
  'a lease that is lost stops the work and not the process, and gained again goes on',
  { skip },
  async (t) => {
    const { lab, arm, mic } = all;
    await lab.kube.fault({ answer: { count: 100_000, status: 500, plural: 'leases' } });
    await eventually('it has stopped', async () => (await mic.probed('/healthz')).body === 'Not Active');
    await arm.clear();
    await scene.bind(all, 'second');
    await scene.addPod(lab, 'second');
    const lost = mic.logs().find(({ msg }) => msg === 'not leading any more');
    t.match(lost, { lost: 'the lease could not be renewed in time' });
    t.same(await scene.assignments(lab, 'first', 'second'), ['first first Assigned']);
    t.same(await arm.log(), []);
    t.equal(await scene.tokenOf(lab, 'first'), 'first', 'who has an identity keeps it');
    await lab.kube.fault({ clear: true });
    t.equal(await scene.tokenOf(lab, 'second'), 'second');
    t.equal(mic.ended(), undefined);
    t.equal((await mic.probed('/healthz')).body, 'Active');
  },
);

t.test('a node of another resource group and subscription is served where it is', { skip }, async (t) => {
  const { lab, arm } = all;
  const id = await scene.addStranger(lab, arm, 'far-away');
  await scene.bind(all, 'abroad');
  await scene.addFarPod(lab, 'abroad', 'far-away', 'abroad');
  await scene.assigned(lab, ['abroad'], ['abroad abroad Assigned']);
  t.match((await arm.machine(id))?.userAssigned, [/\/abroad$/]);
});

t.test(
  'metadata of an identity and a binding is edited without a write, a PATCH or a wait',
  { skip },
  async (t) => {
    const { lab, arm } = all;
    const name = 'first-default-first';
    const before = await lab.kube.get('AzureAssignedIdentity', name);
    await arm.clear();
    for (const kind of ['AzureIdentity', 'AzureIdentityBinding'] as const)
      await lab.kube.patch(kind, 'first', {
        metadata: { annotations: { team: 'shop' }, labels: { tier: 'web' } },
      });
    // What comes later is done, so that was seen.
    await scene.bind(all, 'later');
    await scene.addPod(lab, 'later');
    t.equal(await scene.tokenOf(lab, 'later'), 'later');
    const after = await lab.kube.get('AzureAssignedIdentity', name);
    t.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion);
    t.equal((await arm.log()).filter(({ method }) => method === 'PATCH').length, 1, 'that of the later pod');
  },
);

t.test("its metrics have the original's names, with what it has done", { skip }, async (t) => {
  const { lab, mic } = all;
  const { stdout } = await lab.onNode(['curl', '-s', mic.metrics]);
  for (const name of [
    ...['assigned_identity_addition_count', 'mic_cycle_count', 'mic_cycle_duration_seconds_count'],
    ...['mic_new_leader_election_count', 'assigned_identity_addition_duration_seconds_count'],
    'cloud_provider_operations_duration_seconds_count{operation_type="vm_get"}',
    'cloud_provider_operations_duration_seconds_count{operation_type="vm_update"}',
  ]) {
    const line = stdout.split('\n').find((each) => each.startsWith(`aadpodidentity_${name} `));
    t.ok(Number(line?.split(' ')[1]) > 0, `${name}: ${line}`);
  }
});
