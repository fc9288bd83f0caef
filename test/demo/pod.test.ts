import { join } from 'node:path';
import t from 'tap';
import { addresses } from '../lab/addresses.ts';
import { eventually } from '../lab/eventually.ts';
import { unavailable } from '../lab/namespaces.ts';
import { podOf } from '../lab/network.ts';
import { askers, demo, scene } from '../lab/nmi/scene.ts';
import { startProcess } from '../lab/processes.ts';
import { holdsNoToken } from './rig.ts';

const bin = (name: string): string => join(import.meta.dirname, '../../bin', name);

t.test(
  'in a pod, through the agent: the demo says what the documentation says, the tester finds all well',
  { skip: unavailable() ?? false },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    const program = startProcess({
      namespace: podOf(lab.id, 'demo'),
      command: [bin('demo'), `--clientid=${demo.clientId}`],
      log: join(lab.folder, 'demo.log'),
    });
    t.teardown(() => program.stop('SIGKILL'));
    const last = 'successfully made GET on instance metadata';
    await eventually('a round is through', () => program.output().includes(last), { withinMs: 60_000 });
    t.equal(await program.stop(), 0);
    const msi = `msiEndpoint(http://${addresses.imds}/metadata/identity/oauth2/token)`;
    const output = program.output();
    t.match(output, `successfully acquired a token using the MSI, ${msi}\n`);
    t.match(output, `successfully acquired a token, userAssignedID MSI, ${msi} clientID(${demo.clientId})\n`);
    t.notMatch(output, 'failed');
    holdsNoToken(t, output);

    const ids = [`--identity-client-id=${demo.clientId}`, `--identity-resource-id=${demo.resourceId}`];
    const tester = await lab.exec('demo', [bin('identityvalidator'), ...ids], { timeoutMs: 60_000 });
    t.equal(tester.code, 0);
    t.equal(tester.stdout.match(/INFO {2}successfully /g)?.length, 3, tester.stdout);
    holdsNoToken(t, tester.stdout + tester.stderr);
    t.same(await askers(lab), [addresses.node], 'nobody but the agent asks IMDS');
  },
);
