import t from 'tap';
import { claimsOf, sampleIdentity, sampleSystemIdentity } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, resource, tokenUrl } from '../nmi/scene.ts';
import { exceptionObject } from '../objects.ts';
import * as scene from './scene.ts';

/** What is on a machine and not MIC's stays as it was, and pods under an exception go on using it. One lab for all. */
const skip = unavailable() ?? false;
let all: scene.MicScene;

t.before(async () => {
  if (skip) return;
  all = await scene.micScene(t);
  const { lab } = all;
  await lab.kube.apply(exceptionObject('excepted', 'default', { app: 'excepted' }));
  await lab.addPod({ name: 'excepted', labels: { app: 'excepted' } });
  await scene.bind(all, 'guest');
});

/** Of whom the machine's own token is. */
async function principal(lab: Lab): Promise<unknown> {
  const { status, body } = await ask(lab, 'excepted');
  return status === 200 ? claimsOf(String(body.access_token)).oid : { status, body };
}

t.test("a pod under an exception gets the node's identities, and no assignment", { skip }, async (t) => {
  const { lab } = all;
  t.match(await ask(lab, 'excepted'), { status: 200, body: { resource } });
  t.equal(await principal(lab), sampleSystemIdentity().objectId);
  t.equal(await scene.tokenOf(lab, 'excepted', sampleIdentity('foreign').clientId), 'foreign');
  t.match(await ask(lab, 'excepted', `${tokenUrl}&client_id=${sampleIdentity('guest').clientId}`), {
    status: 400,
  });
  t.same(await scene.assignments(lab, 'excepted'), []);
});

t.test("a VM's system-assigned identity is the same before, with and after a pod's", { skip }, async (t) => {
  const { lab, arm } = all;
  const { objectId } = sampleSystemIdentity();
  await scene.addPod(lab, 'visitor', 'guest');
  t.equal(await scene.tokenOf(lab, 'visitor'), 'guest');
  t.equal(await principal(lab), objectId);
  await lab.removePod('visitor');
  await scene.assigned(lab, ['visitor'], []);
  t.equal((await scene.on(arm, 'vm')).type, 'SystemAssigned, UserAssigned');
  t.equal(await principal(lab), objectId);
  t.equal(await scene.tokenOf(lab, 'excepted', sampleIdentity('foreign').clientId), 'foreign');
});

t.test('it stays when others took off all user-assigned ones before MIC lets go', { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.addPod(lab, 'late', 'guest');
  await scene.assigned(lab, ['late'], ['late guest Assigned']);
  await scene.refit(arm, 'vm');
  await lab.removePod('late');
  await scene.assigned(lab, ['late'], []);
  t.same(await scene.on(arm, 'vm'), { type: 'SystemAssigned', names: [] });
  t.equal(await principal(lab), sampleSystemIdentity().objectId);
});

t.test("the cluster's own identity stays on its scale set, and no PATCH names it", { skip }, async (t) => {
  const { lab, arm } = all;
  await scene.create(arm, 'lab-agentpool');
  await scene.refit(arm, 'pool', 'lab-agentpool');
  await arm.clear();
  await scene.addFarPod(lab, 'far', 'pool000000', 'guest');
  await scene.assigned(lab, ['far'], ['far guest Assigned']);
  t.same((await scene.on(arm, 'pool')).names, ['guest', 'lab-agentpool']);
  await scene.deletePod(lab, 'far');
  await scene.assigned(lab, ['far'], []);
  t.same(await scene.on(arm, 'pool'), { type: 'UserAssigned', names: ['lab-agentpool'] });
  const bodies = (await arm.log()).filter(({ method }) => method === 'PATCH').map(({ body }) => body);
  t.equal(bodies.length, 2);
  t.notMatch(bodies.join('\n'), /agentpool/);
});
