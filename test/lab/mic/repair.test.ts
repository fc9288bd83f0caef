import t from 'tap';
import { eventually } from '../eventually.ts';
import { claimsOf, sampleIdentity } from '../imds/token.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask } from '../nmi/scene.ts';
import { identityObject } from '../objects.ts';
import { assignedByOriginal, originalAtWork, originalName } from './original.ts';
import * as scene from './scene.ts';

/** What a MIC that vanished has left behind is put right by the next, once that knows that it is alone. One lab for all. */
const skip = unavailable() ?? false;
const left = ['gone', 'stuck', 'torn'];
let all: scene.MicScene;
/** What stood before, and after each reason to wait. */
const looks: string[] = [];

/** Every assignment with its version, what is on the VM, and how often ARM was asked. */
async function look({ lab, arm }: Pick<scene.MicScene, 'lab' | 'arm'>): Promise<string> {
  const objects = await lab.kube.list('AzureAssignedIdentity');
  const versions = objects.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  const { names } = await scene.on(arm, 'vm');
  return JSON.stringify([versions.sort(), names, (await arm.log()).length]);
}

/** Pods of `gone`, `stuck` and `lost` are not there any more; that of `torn` is, and its assignment was deleted, too. */
async function leftBehind(lab: Lab): Promise<void> {
  await assignedByOriginal(lab, 'gone');
  for (const name of ['stuck', 'torn']) await assignedByOriginal(lab, name);
  await assignedByOriginal(lab, 'lost', { node: 'vanished' });
  await scene.addPod(lab, 'torn');
  for (const name of ['stuck', 'torn', 'lost'])
    await lab.kube.delete('AzureAssignedIdentity', `${name}-default-${name}`);
}

t.before(async () => {
  if (skip) return;
  let stop = (): void => undefined;
  const waits = (mic: scene.MicScene['mic'], why: RegExp) => (): boolean =>
    mic.logs().some((line) => line.msg === 'not leading; waiting' && why.test(String(line.why)));
  all = await scene.micScene(t, {
    flags: { 'identity-assignment-reconcile-interval': '10s' },
    before: async (lab, arm) => {
      await scene.create(arm, ...left);
      await scene.refit(arm, 'vm', 'foreign', ...left);
      await leftBehind(lab);
      stop = await originalAtWork(t, lab);
      looks.push(await look({ lab, arm }));
      return {};
    },
    started: async (mic, { lab, arm }) => {
      await eventually('it waits', waits(mic, new RegExp(originalName)));
      looks.push(await look({ lab, arm }));
      // One look at the lock each: together longer than the lock is good for without its owner.
      for (const [status, count] of [
        [500, 2],
        [503, 2],
        [502, 5],
      ] as const)
        await lab.kube.fault({ answer: { count, status, plural: 'endpoints' } });
      stop();
      await eventually('it cannot tell', waits(mic, /502/));
      looks.push(await look({ lab, arm }));
    },
  });
});

t.test("touches nothing while the original's MIC is alive, nor while it cannot tell", { skip }, async (t) => {
  const [before, ...since] = looks;
  t.same(since, [before, before]);
});

t.test(
  'then takes finalizers and identities off that nobody needs, and leaves a pod what it needs',
  { skip },
  async (t) => {
    const { lab, arm } = all;
    await scene.assigned(lab, [...left, 'lost'], ['torn torn Assigned']);
    const object = await lab.kube.get('AzureAssignedIdentity', 'torn-default-torn');
    t.equal(object?.metadata.deletionTimestamp, undefined, 'made anew');
    await eventually('they are off', async () => (await scene.on(arm, 'vm')).names.length === 2);
    t.same((await scene.on(arm, 'vm')).names, ['foreign', 'torn']);
    t.equal(await scene.tokenOf(lab, 'torn'), 'torn');
    const bodies = (await arm.log()).filter(({ method }) => method === 'PATCH').map(({ body }) => body);
    t.notMatch(bodies.join(), /foreign|torn/, 'nothing else was touched, not even for a moment');
  },
);

t.test(
  'one deleted and created again under its name is put on anew, and only where MIC has put it',
  { skip },
  async (t) => {
    const { lab, arm } = all;
    await arm.clear();
    const again = (name: string) => ({
      ...sampleIdentity(`${name} again`),
      resourceId: sampleIdentity(name).resourceId,
    });
    const both = ['torn', 'foreign'];
    await arm.deleteIdentities(...both.map((name) => sampleIdentity(name).resourceId));
    await arm.createIdentities(...both.map(again));
    await lab.kube.apply(identityObject('torn', 'default', again('torn')));
    await eventually('its pod gets a token of the new one', async () => {
      const { status, body } = await ask(lab, 'torn');
      return status === 200 && claimsOf(String(body.access_token)).appid === again('torn').clientId;
    });
    await scene.assigned(lab, ['torn'], ['torn torn Assigned']);
    const bodies = (await arm.log()).filter(({ method }) => method === 'PATCH').map(({ body }) => body);
    t.equal(bodies.length, 2, 'off and on');
    t.notMatch(bodies.join(), /foreign/);
  },
);
