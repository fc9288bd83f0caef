import t from 'tap';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity } from '../imds/token.ts';
import type { KubeInput } from '../kube/object.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, exceptionObject, identityObject } from '../objects.ts';
import { ask, demo, scene } from './scene.ts';

/** The index behind policy, seen from a pod. That it looks at a pod's own objects alone is counted in test/policy/work. */
const skip = unavailable() ?? false;
const many = 2_000;

t.test('among 2,000 identities and 2,000 exceptions each pod gets what is its own', { skip }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  const objects = Array.from({ length: many }, (_, i): KubeInput[] => [
    identityObject(`i${i}`, 'default', sampleIdentity(`i${i}`)),
    exceptionObject(`e${i}`, 'default', { app: `agent-${i}`, tier: `t${i}` }),
  ]).flat();
  for (const object of objects) await lab.kube.create(object);
  await lab.kube.apply(bindingObject('last', 'default', `i${many - 1}`, 'last'));
  await lab.imds.assign(sampleIdentity(`i${many - 1}`));
  await lab.addPod({ name: 'last', labels: { aadpodidbinding: 'last' } });
  await lab.addPod({ name: 'free', labels: { app: `agent-${many - 1}` } });
  const appIdOf = async (pod: string): Promise<unknown> => {
    const { status, body } = await ask(lab, pod);
    return status === 200 ? claimsOf(String(body.access_token)).appid : status;
  };
  const { clientId } = sampleIdentity(`i${many - 1}`);
  await eventually('the last identity counts', async () => (await appIdOf('last')) === clientId);
  await eventually(
    'the last exception counts',
    async () => (await appIdOf('free')) === sampleIdentity('node1').clientId,
  );
  t.equal(await appIdOf('demo'), demo.clientId);
  t.equal(await appIdOf('plain'), 400);
});
