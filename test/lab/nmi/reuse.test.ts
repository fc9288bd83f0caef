import t from 'tap';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity } from '../imds/token.ts';
import { createLab, type Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject, identityObject, podObject } from '../objects.ts';
import type { PodState } from '../state.ts';
import { ask } from './scene.ts';

/**
 * One address, two pods: `first` and `second` are bound to identities of their own names. The network is there all the
 * time under its address; whose it is, the API says. Stalled, the watch tells nothing more, and only a live look knows.
 */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;
let place: PodState;

t.before(async () => {
  if (skip) return;
  lab = await createLab();
  t.teardown(() => lab.down());
  place = await lab.addPod({ name: 'place' });
  for (const name of ['first', 'second']) {
    await lab.imds.assign(sampleIdentity(name));
    await lab.kube.apply(identityObject(name, 'default', sampleIdentity(name)));
    await lab.kube.apply(bindingObject(name, 'default', name, name));
  }
  await lab.kube.delete('Pod', 'place', { gracePeriodSeconds: 0 });
  agent = lab.startAgent();
  await agent.ready();
});

t.afterEach(async () => {
  if (skip) return;
  await lab.kube.fault({ clear: true });
  for (const name of ['first', 'second']) await lab.kube.delete('Pod', name, { gracePeriodSeconds: 0 });
});

/** Whose token the address gets, or why it gets none. */
async function whose(pod = 'place'): Promise<string> {
  const { status, body } = await ask(lab, pod);
  if (status === 404) return /^No pod/.test(String(body.error_description)) ? 'nobody' : 'two';
  const { appid } = claimsOf(String(body.access_token));
  return ['first', 'second'].find((name) => sampleIdentity(name).clientId === appid) ?? `${appid}`;
}

/** That no pod has the address is remembered for a second. */
const found = (pod?: string) =>
  eventually('somebody is found', async () => {
    const name = await whose(pod);
    return name === 'nobody' ? undefined : name;
  });

const create = (name: string) => lab.kube.apply(podObject({ ...place, name }, { aadpodidbinding: name }));

async function created(name: string): Promise<void> {
  await create(name);
  await eventually(`${name} has the address`, async () => (await whose()) === name);
}

const remove = (name: string) => lab.kube.delete('Pod', name, { gracePeriodSeconds: 0 });

/** The pod is being deleted; its API object stays for the grace period. */
const terminate = (name: string) => lab.kube.delete('Pod', name, { gracePeriodSeconds: 30 });

/** Its containers have ended, as the kubelet reports before the API object goes. */
function finish(name: string, phase = 'Running'): Promise<unknown> {
  const state = { terminated: { exitCode: 0, reason: 'Completed' } };
  const containerStatuses = [
    { name: 'app', image: 'lab', imageID: '', ready: false, restartCount: 0, state },
  ];
  return lab.kube.patch('Pod', name, { status: { phase, containerStatuses } }, { subresource: 'status' });
}

for (const stall of [false, true]) {
  const watch = stall ? 'a lagging watch' : 'the watch up to date';

  t.test(`${watch}: delete, create`, { skip }, async (t) => {
    await created('first');
    await remove('first');
    await eventually('the address is free', async () => (await whose()) === 'nobody');
    await lab.kube.fault({ stall });
    await create('second');
    t.equal(await found(), 'second');
  });

  t.test(`${watch}: terminating without running containers, create, delete`, { skip }, async (t) => {
    await created('first');
    await terminate('first');
    t.equal(await whose(), 'first', 'its containers still run');
    await finish('first');
    await eventually('it has let go of the address', async () => (await whose()) === 'nobody');
    await lab.kube.fault({ stall });
    await create('second');
    t.equal(await found(), 'second');
    await remove('first');
    t.equal(await whose(), 'second');
  });

  t.test(`${watch}: a pod that has ended by itself, create`, { skip }, async (t) => {
    await created('first');
    await finish('first', 'Succeeded');
    await eventually('it has let go of the address', async () => (await whose()) === 'nobody');
    await lab.kube.fault({ stall });
    await create('second');
    t.equal(await found(), 'second');
  });

  t.test(
    `${watch}: create while the other is said to run gives neither, until it goes`,
    { skip },
    async (t) => {
      await created('first');
      await create('second');
      await eventually('two claim the address', async () => (await whose()) === 'two');
      await lab.kube.fault({ stall });
      await terminate('first');
      t.equal(await whose(), 'two');
      await finish('first');
      t.equal(await whose(), 'second', 'a fresh look settles it');
      await remove('first');
      t.equal(await whose(), 'second');
    },
  );
}

t.test(
  'a pod that is gone, network and all, leaves nothing to the heir of its address',
  { skip },
  async (t) => {
    const { ip } = await lab.addPod({ name: 'gone', labels: { aadpodidbinding: 'first' } });
    t.equal(await found('gone'), 'first');
    await lab.removePod('gone');
    await lab.addPod({ name: 'heir', ip, labels: { aadpodidbinding: 'second' } });
    await eventually('the heir has its own', async () => (await whose('heir')) === 'second');
    await lab.removePod('heir');
    await lab.addPod({ name: 'stranger', ip });
    const refused = await eventually('the stranger is known', async () => {
      const reply = await ask(lab, 'stranger');
      return reply.status === 400 ? reply : undefined;
    });
    t.match(refused.body.error_description, /default\/stranger has no label/);
  },
);

t.test('an init container that asks before the API knows its address is served', { skip }, async (t) => {
  await eventually('nobody has the address', async () => (await whose()) === 'nobody');
  const isLook = ({ door, path }: { door: string; path: string }): boolean =>
    door === 'tls' && path.includes('/pods') && !path.includes('watch=');
  // The kubelet tells of it a second later; on a busy machine it may be told here when the request's time is over.
  const served = async (): Promise<boolean> => {
    await remove('first');
    await lab.kube.clearRequests();
    const asked = whose();
    const looked = async (): Promise<boolean> => (await lab.kube.requests()).some(isLook);
    await eventually('it was looked for in vain', looked, { withinMs: 1_500 });
    await create('first');
    return (await asked) === 'first';
  };
  t.ok(await eventually('it is told in time', served, { withinMs: 60_000, everyMs: 1_000 }));
});
