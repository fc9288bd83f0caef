import t from 'tap';
import { azureRef, type EventRef, eventBody, type KubeEvent, nodeRef } from '../../lib/kube/event-body.ts';
import { type EventOutcome, Events } from '../../lib/kube/events.ts';
import { eventually } from '../lab/eventually.ts';
import { namespaceObject, podRef } from './event-rig.ts';
import { type MicRig, micRig } from './mic-rig.ts';
import { MemoryLog } from './rig.ts';

const applied: KubeEvent = { type: 'Normal', reason: 'binding applied', message: 'Binding b applied.' };

function binding(name: string): EventRef {
  return azureRef('AzureIdentityBinding', {
    namespace: 'apps',
    name,
    uid: `uid-${name}`,
    resourceVersion: '7',
  });
}

interface Rig extends MicRig {
  readonly outcomes: EventOutcome[];
  readonly events: Events;
  /** Resolves when so many reports have come to something. */
  decided(count: number): Promise<void>;
}

async function rigOf(t: Parameters<typeof micRig>[0], alike = 3, room = 100): Promise<Rig> {
  const rig = await micRig(t);
  rig.api.put(namespaceObject('apps'));
  const outcomes: EventOutcome[] = [];
  const count = (outcome: EventOutcome): void => void outcomes.push(outcome);
  const { connection } = rig;
  const events = new Events({ connection, node: 'mic-1', log: new MemoryLog(), count, alike, room });
  const decided = async (count: number): Promise<void> =>
    void (await eventually(`${count} are decided`, () => outcomes.length >= count, { everyMs: 2 }));
  return { ...rig, outcomes, events, decided };
}

/** Events are sent one at a time, so sending starts when all have been reported. */
async function sending(t: Parameters<typeof micRig>[0], { events }: Rig): Promise<void> {
  const stop = new AbortController();
  const running = events.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
}

t.test('tells where kubectl describe looks, of every kind of object', async (t) => {
  const rig = await rigOf(t);
  const identity = { namespace: 'apps', name: 'i', uid: 'uid-i', resourceVersion: '8' };
  const about = [binding('b'), azureRef('AzureIdentity', identity), podRef('web'), nodeRef('node-1')];
  for (const each of about) rig.events.report(each, applied);
  await sending(t, rig);
  await rig.decided(about.length);
  t.strictSame(rig.outcomes, ['sent', 'sent', 'sent', 'sent']);
  const found = rig.api
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ path }) => path);
  const [apps, cluster] = ['/api/v1/namespaces/apps/events', '/api/v1/namespaces/default/events'];
  t.strictSame(found, [apps, apps, apps, cluster]);
});

t.test('names the object whole, and MIC as the original named itself', async (t) => {
  const body = eventBody(binding('b'), applied, { node: 'mic-1', now: 0 });
  const group = 'aadpodidentity.k8s.io';
  t.strictSame(body.involvedObject, {
    ...{ apiVersion: `${group}/v1`, kind: 'AzureIdentityBinding', namespace: 'apps', name: 'b' },
    ...{ uid: 'uid-b', resourceVersion: '7' },
  });
  t.match(body, { source: { component: group }, reason: 'binding applied', metadata: { namespace: 'apps' } });
  const ofNode = eventBody(nodeRef('n'), applied, { node: 'mic-1', now: 0 });
  t.match(ofNode, {
    metadata: { namespace: 'default' },
    involvedObject: { kind: 'Node', uid: 'n', namespace: '' },
  });
});

t.test('tells several of one reason of one object a minute, each message once, and no more', async (t) => {
  const rig = await rigOf(t);
  const tell = (message: string, name = 'b') => rig.events.report(binding(name), { ...applied, message });
  for (const message of ['1', '1', '2', '3', '4']) tell(message);
  tell('1', 'other');
  t.strictSame(rig.outcomes, ['repeated', 'repeated']);
  await sending(t, rig);
  await rig.decided(6);
  t.equal(rig.outcomes.filter((each) => each === 'sent').length, 4);
  await rig.clock.advance(60_000);
  tell('1');
  await rig.decided(7);
  t.equal(rig.outcomes.at(-1), 'sent');
});

t.test('drops what it has no room for', async (t) => {
  const rig = await rigOf(t, 3, 2);
  for (const name of ['a', 'b', 'c']) rig.events.report(binding(name), applied);
  t.strictSame(rig.outcomes, ['dropped']);
});
