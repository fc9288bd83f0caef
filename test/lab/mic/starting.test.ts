import t from 'tap';
import type { EntraClient } from '../entra/control.ts';
import { eventually } from '../eventually.ts';
import { claimsOf } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, resource } from '../nmi/scene.ts';
import { bindingObject, podObject, principalObject, secretObject } from '../objects.ts';
import * as scene from './scene.ts';

/** Pods that ask before MIC is done, and those whose identity Azure's machines know nothing of. One lab for both. */
const skip = unavailable() ?? false;
const tenantId = 'aaaaaaaa-0000-4000-8000-00000000000a';
const clientId = 'cccccccc-0000-4000-8000-00000000000c';
let all: scene.MicScene;
let entra: EntraClient;

t.before(async () => {
  if (skip) return;
  const agent = async (lab: Lab): ReturnType<NonNullable<scene.MicSceneOptions['agent']>> => {
    entra = await lab.startEntra();
    await entra.register({ clientId, tenants: [tenantId], secrets: ['se~cret'] });
    return {
      flags: { 'allowed-ad-endpoints': entra.origin },
      env: { NODE_EXTRA_CA_CERTS: entra.caFile },
    };
  };
  all = await scene.micScene(t, { agent });
});

/** A pod whose address the kubelet has told, and not yet that its init container runs. */
async function addStartingPod(lab: Lab, name: string): Promise<void> {
  const pod = await lab.addPod({ name });
  await scene.deletePod(lab, name);
  const { status, ...object } = podObject(pod, { aadpodidbinding: name });
  const { podIP, podIPs, startTime } = status as Record<string, never>;
  const waiting = { image: 'lab', imageID: '', ready: false, restartCount: 0 };
  const state = { waiting: { reason: 'PodInitializing' } };
  await lab.kube.apply({
    ...object,
    spec: { ...(object.spec as object), initContainers: [{ name: 'login', image: 'lab' }] },
    status: {
      ...{ phase: 'Pending', podIP, podIPs, startTime },
      initContainerStatuses: [{ ...waiting, name: 'login', state }],
      containerStatuses: [{ ...waiting, name: 'app', state }],
    },
  });
}

t.test(
  'an init container that asks at once waits for ARM, and gets its token in that one request',
  { skip },
  async (t) => {
    const { lab, arm } = all;
    await scene.bind(all, 'init');
    await arm.configure({ operationMs: 1_500 });
    await arm.clear();
    await addStartingPod(lab, 'init');
    const token = scene.tokenOf(lab, 'init');
    await eventually('the change is under way', async () =>
      (await arm.log()).some(({ method }) => method === 'PATCH'),
    );
    t.same(await scene.assignments(lab, 'init'), ['init init Created']);
    t.equal(await token, 'init');
    await arm.configure({ operationMs: 0 });
  },
);

t.test('a service principal is assigned without ARM, and its token is from Entra ID', { skip }, async (t) => {
  const { lab, arm } = all;
  await arm.clear();
  const spec = { type: 1, clientID: clientId, tenantID: tenantId, adEndpoint: entra.origin };
  await lab.kube.apply(secretObject('shop', 'default', { clientSecret: 'se~cret' }));
  await lab.kube.apply(principalObject('shop', 'default', { ...spec, clientPassword: { name: 'shop' } }));
  await lab.kube.apply(bindingObject('shop', 'default', 'shop', 'shop'));
  await scene.addPod(lab, 'shop');
  const { status, body } = await ask(lab, 'shop');
  t.equal(status, 200);
  t.match(claimsOf(String(body.access_token)), { appid: clientId, aud: resource, tid: tenantId });
  t.same(await scene.assignments(lab, 'shop'), ['shop shop Assigned']);
  t.equal((await entra.log()).length, 1);
  await lab.removePod('shop');
  await scene.assigned(lab, ['shop'], []);
  t.same(
    (await arm.log()).filter(({ method }) => method === 'PATCH'),
    [],
  );
});
