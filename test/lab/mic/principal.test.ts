import t from 'tap';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import * as scene from './scene.ts';

/** MIC with a service principal's secret in azure.json instead of the machine's own identity. */
const skip = unavailable() ?? false;
const tenantId = 'aaaaaaaa-0000-4000-8000-00000000000b';
const clientId = 'cccccccc-0000-4000-8000-00000000000b';

t.test('a service principal assigns, without IMDS, and by its secret alone', { skip }, async (t) => {
  const all = await scene.micScene(t, {
    before: async (lab: Lab) => {
      const entra = await lab.startEntra();
      await entra.register({ clientId, tenants: [tenantId], secrets: ['se~cret'] });
      const login = { tenantId, aadClientId: clientId, aadClientSecret: 'se~cret' };
      return {
        azureJson: { ...login, useManagedIdentityExtension: false },
        trusted: [entra.caFile],
        entra,
      };
    },
  });
  const { lab, arm, mic, entra } = all;
  await scene.bind(all, 'demo');
  await scene.addPod(lab, 'demo');
  t.equal(await scene.tokenOf(lab, 'demo'), 'demo');
  const callers = (await arm.log()).map(({ caller }) => caller);
  t.same([...new Set(callers)], [clientId]);
  t.equal((await entra?.log())?.length, 1, 'one token serves every request');
  await lab.removePod('demo');
  await eventually('it is taken off', async () => !(await scene.on(arm, 'vm')).names.includes('demo'));
  t.notMatch(mic.output(), /se~cret/);
});
