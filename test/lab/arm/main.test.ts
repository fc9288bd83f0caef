import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { imdsClient } from '../imds/client.ts';
import { sampleIdentity, sampleSystemIdentity } from '../imds/token.ts';
import { armIdOf } from './azure.ts';
import { armClient } from './control.ts';
import type { ArmMachine } from './types.ts';

const guid = '00000000-0000-4000-8000-000000000001';
const node: ArmMachine = {
  ...{ kind: 'vmss', subscription: guid, resourceGroup: 'MC_lab', name: 'pool', hasImds: true },
  systemAssigned: sampleSystemIdentity(),
};

/** Starts the simulator of that folder on a free port and gives its address. */
async function start(
  test: Test,
  name: string,
  dir: string,
): Promise<{ child: ChildProcess; address: string }> {
  const main = join(import.meta.dirname, '..', name, 'main.ts');
  const args = [main, '--listen', '127.0.0.1:0', '--dir', dir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  test.teardown(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return { child, address: String(line).replace('ready ', '') };
}

t.test(
  'as processes, ARM and IMDS are one Azure: what MIC assigns by its own identity, pods get tokens for',
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'arm-main-'));
    t.teardown(() => rm(dir, { recursive: true }));
    const imds = await start(t, 'imds', dir);
    const simulator = await start(t, 'arm', dir);
    const [caFile, environmentFile] = [join(dir, 'arm-ca.crt'), join(dir, 'azure-environment.json')];
    const arm = armClient(join(dir, 'arm.sock'), {
      origin: `https://${simulator.address}`,
      caFile,
      environmentFile,
    });
    const [good, bad] = [sampleIdentity('good'), sampleIdentity('bad')];
    await arm.createIdentities(good, { ...bad, assignable: false });
    await arm.addMachines(node);
    await arm.configure({ retryAfter: '1', operationMs: 1 });

    const env = {
      ...{ PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: caFile, AZURE_ENVIRONMENT_FILEPATH: environmentFile },
      ...{ CLOUD: 'AzureStackCloud', SUBSCRIPTION_ID: guid, RESOURCE_GROUP: 'MC_lab', USE_MSI: 'true' },
    };
    const patcher = [join(import.meta.dirname, 'patcher.ts'), `http://${imds.address}`];
    const args = [...patcher, armIdOf(node), good.resourceId, bad.resourceId];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    t.match(JSON.parse(stdout), {
      [good.resourceId.toLowerCase()]: { kind: 'done' },
      [bad.resourceId.toLowerCase()]: { kind: 'refused', code: 'LinkedAuthorizationFailed' },
    });
    t.match(await arm.machine(armIdOf(node)), {
      type: 'SystemAssigned, UserAssigned',
      provisioningState: 'Succeeded',
    });
    t.equal(await arm.machine('/none'), undefined);
    t.ok((await arm.log()).every(({ caller }) => caller === sampleSystemIdentity().clientId));

    const query = `api-version=2018-02-01&resource=https://vault.azure.net&client_id=`;
    const ask = (clientId: string): Promise<Response> =>
      fetch(`http://${imds.address}/metadata/identity/oauth2/token?${query}${clientId}`, {
        headers: { metadata: 'true' },
      });
    t.equal((await ask(good.clientId)).status, 200);
    t.equal((await ask(bad.clientId)).status, 400);
    t.match((await imdsClient(join(dir, 'imds.sock')).log()).issued, [
      { clientId: sampleSystemIdentity().clientId, resource: 'https://management.azure.com' },
      { clientId: good.clientId },
    ]);

    await arm.fault({ kind: 'status', status: 503 });
    await arm.clear();
    t.same(await arm.log(), []);
    simulator.child.kill('SIGTERM');
    t.same(await once(simulator.child, 'exit'), [0, null]);
  },
);
