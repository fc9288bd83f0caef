import t from 'tap';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { sampleIdentity } from '../imds/token.ts';
import { nmi } from '../kube/access.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, scene, tokenUrl } from './scene.ts';
import { metric } from './standard-scene.ts';

/** A pod that gets no token finds the reason among its events. */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (!skip) ({ lab, agent } = await scene(t));
});

const counted = (outcome: string): Promise<number> =>
  metric(lab, agent, `podidentity_pod_events_total{outcome="${outcome}"}`);

const toldOf = async (pod: string): Promise<KubeObject[]> =>
  lab.kube.list('Event', undefined, { fieldSelector: `involvedObject.name=${pod}` });

t.test('the event says what the answer says, once a minute for each reason', { skip }, async (t) => {
  await agent.ready();
  const { body } = await ask(lab, 'plain');
  await eventually('the event is there', async () => (await counted('sent')) === 1);
  const [event] = await toldOf('plain');
  const { metadata } = (await lab.kube.get('Pod', 'plain')) ?? {};
  t.match(event, {
    type: 'Warning',
    reason: 'NoLabel',
    message: String(body.error_description).replace('Identity not found. ', ''),
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'plain', uid: metadata?.uid },
  });
  await ask(lab, 'plain');
  await eventually('the second is counted', async () => (await counted('repeated')) === 1);
  t.equal((await toldOf('plain')).length, 1);

  for (const name of ['other', 'another']) {
    await ask(lab, 'demo', `${tokenUrl}&client_id=${sampleIdentity(name).clientId}`);
  }
  await eventually('another pod has its own', async () => (await counted('sent')) === 2);
  t.equal(await counted('repeated'), 2, 'whatever it asks for');
  t.match((await toldOf('demo'))[0], { reason: 'NotBound', message: /no identity with client_id/ });
});

t.test('a missing right to write events is one warning, and the pods are answered', { skip }, async (t) => {
  await agent.stop('SIGKILL');
  const rules = nmi.rules.filter(({ resources }) => !resources.includes('events'));
  await lab.kube.fault({ tokens: { 'nmi-token': { ...nmi, rules } } });
  agent = lab.startAgent();
  await agent.ready();
  t.equal((await ask(lab, 'plain')).status, 400);
  await eventually('it was refused', async () => (await counted('failed')) === 1);
  t.equal((await ask(lab, 'demo', `${tokenUrl}&client_id=x`)).status, 400);
  await eventually('the next is not tried', async () => (await counted('dropped')) === 1);
  t.equal((await agent.probed('/readyz')).status, 200);
  await agent.stop('SIGTERM');
  const warnings = agent.logs().filter(({ msg }) => /no right to create events/.test(String(msg)));
  t.equal(warnings.length, 1);
});

t.test('--pod-events=false writes none', { skip }, async (t) => {
  await lab.kube.fault({ clear: true });
  agent = lab.startAgent({ flags: { 'pod-events': false } });
  await agent.ready();
  await lab.kube.clearRequests();
  t.equal((await ask(lab, 'plain')).status, 400);
  await agent.stop();
  t.same(
    (await lab.kube.requests()).filter(({ path }) => path.includes('/events')),
    [],
  );
});
