import t from 'tap';
import { seeded, shuffled } from '../../fakes/random.ts';
import { sampleIdentity } from '../imds/token.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject } from '../objects.ts';
import * as scene from './scene.ts';

/** Many pods on one node, and many identities on one pod: one lab for both. */
const skip = unavailable() ?? false;
const identities = [0, 1, 2, 3, 4].map((number) => `crowd-${number}`);
const pods = Array.from({ length: 40 }, (_, at) => ({
  name: `p${at}`,
  identity: identities[at % identities.length] ?? '',
}));
let all: scene.MicScene;

t.before(async () => {
  if (skip) return;
  all = await scene.micScene(t);
  await scene.bind(all, ...identities);
});

t.test('40 pods with 5 identities are assigned, and each gets its own token', { skip }, async (t) => {
  const { lab, arm } = all;
  await arm.clear();
  for (const { name, identity } of pods) await scene.addPod(lab, name, identity);
  const lines = pods.map(({ name, identity }) => `${name} ${identity} Assigned`);
  await scene.assigned(
    lab,
    pods.map(({ name }) => name),
    lines,
  );
  for (const { name, identity } of pods) t.equal(await scene.tokenOf(lab, name), identity);
  const patches = (await arm.log()).filter(({ method }) => method === 'PATCH');
  t.ok(patches.length <= identities.length, 'ARM is asked for each identity once at most');
});

t.test("identities go in any order, and a pod's others go on working", { skip }, async (t) => {
  const { lab, arm } = all;
  for (const name of identities) await lab.kube.apply(bindingObject(`${name}-all`, 'default', name, 'all'));
  await scene.addPod(lab, 'all');
  await scene.assigned(
    lab,
    ['all'],
    identities.map((name) => `all ${name} Assigned`),
  );
  const left = new Set(identities);
  for (const gone of shuffled(identities, seeded(5))) {
    await lab.kube.delete('AzureIdentity', gone);
    left.delete(gone);
    await scene.assigned(
      lab,
      ['all'],
      [...left].map((name) => `all ${name} Assigned`),
    );
    for (const name of left)
      t.equal(
        await scene.tokenOf(lab, 'all', sampleIdentity(name).clientId),
        name,
        `${name} without ${gone}`,
      );
  }
  await scene.assigned(
    lab,
    pods.map(({ name }) => name),
    [],
  );
  t.same((await scene.on(arm, 'vm')).names, ['foreign']);
});
