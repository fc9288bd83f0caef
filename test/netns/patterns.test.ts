import t, { type Test } from 'tap';
import type { Redirect } from '../../lib/redirect/redirect.ts';
import { addresses } from '../lab/addresses.ts';
import { skip } from './namespaces.ts';
import type { Place } from './plugs.ts';
import {
  backends,
  bridgeNetfilter,
  heardFromNow,
  type Listening,
  metadata,
  noBridgeNetfilter,
  setTopology,
  type Topology,
} from './topologies.ts';

const agentAt = `${addresses.node}:2579`;
const relayAt = `${addresses.node}:2580`;

interface Pods extends Topology {
  /** One for each way in which pods are connected, by that way; each listens on a port that the agent has, too. */
  readonly pods: ReadonlyMap<string, Place>;
  /** The pods' addresses, sorted. */
  readonly own: readonly string[];
  readonly agent: Listening;
  /** The same question from every pod at once; the answers in the order of `pods`. */
  fromEach(...targets: readonly string[]): Promise<string[][]>;
}

async function setPods(t: Test): Promise<Pods> {
  const scene = await setTopology(t);
  const pods = new Map([
    ['bridge', scene.pod],
    ['same bridge', scene.bridged(11)],
    ['second bridge', scene.onSecondBridge(10)],
    ['veth', scene.routed(10)],
    ['second veth', scene.routed(11)],
  ]);
  for (const [way, pod] of pods) await scene.listen(way, pod, `${pod.ip}:2579`);
  const agent = await scene.listen('agent', scene.node, agentAt);
  await scene.relay(relayAt, metadata);
  const places = [...pods.values()];
  const own = places.map(({ ip }) => ip).sort();
  const fromEach: Pods['fromEach'] = (...targets) =>
    Promise.all(places.map((place) => scene.ask(place, ...targets)));
  return { ...scene, pods, own, agent, fromEach };
}

async function follow(t: Test, scene: Pods, redirect: Redirect): Promise<void> {
  const { ask, node, pods, own, agent, imds, fromEach } = scene;
  const each = (...answers: string[]): string[][] => own.map(() => answers);

  await t.test('without us every pod reaches Azure, so that what follows means something', async (t) => {
    const heard = heardFromNow(imds);
    t.same(await fromEach(metadata), each('azure'));
    t.same(heard(), own);
  });

  await t.test('with the guard alone no pod gets through', async (t) => {
    const heard = heardFromNow(imds);
    await redirect.raiseGuard();
    t.same(await fromEach(metadata), each('silence'));
    t.same(heard(), []);
  });

  await t.test('every pod is redirected, keeps its address, and is not served directly', async (t) => {
    const [passedBy, heard] = [heardFromNow(imds), heardFromNow(agent)];
    await redirect.redirect(2579);
    t.same(await fromEach(metadata, agentAt, relayAt), each('agent', 'silence', 'silence'));
    t.same(heard(), own);
    t.same(passedBy(), []);
  });

  await t.test('a process of the node, as a pod with hostNetwork is one, is never redirected', async (t) => {
    const [asked, heard] = [heardFromNow(imds), heardFromNow(agent)];
    t.same(await ask(node, metadata), ['azure']);
    t.same([asked(), heard()], [[node.ip], []]);
  });

  await t.test('what the agent asks for a pod reaches Azure, from the node', async (t) => {
    const asked = heardFromNow(imds);
    await redirect.redirect(2580);
    t.same(await fromEach(metadata), each('azure'));
    t.same(
      asked(),
      own.map(() => node.ip),
    );
  });

  await t.test('pods reach one another as before, also on ports that the agent has', async (t) => {
    const targets = [...pods.values()].map(({ ip }) => `${ip}:2579`);
    t.same(await fromEach(...targets), each(...pods.keys()));
  });
}

t.jobs = 4;
for (const backend of backends) {
  for (const on of [false, true]) {
    const name = `pods of every kind, ${backend}, bridge-nf-call-iptables ${on ? 1 : 0}`;
    t.test(name, { skip: skip || (on && noBridgeNetfilter), buffered: true }, async (t) => {
      const scene = await setPods(t);
      bridgeNetfilter(scene.node, on);
      await follow(t, scene, scene.redirect(backend));
    });
  }

  // Its packets to Azure are bridged: without br_netfilter they meet no rule of iptables, and pass by.
  const name = `a pod that is bridged to the node's uplink, ${backend}, bridge-nf-call-iptables 1`;
  t.test(name, { skip: skip || noBridgeNetfilter, buffered: true }, async (t) => {
    const scene = await setTopology(t);
    const { ask, node, imds } = scene;
    const pod = scene.onUplink(30);
    const agent = await scene.listen('agent', node, agentAt);
    bridgeNetfilter(node, true);
    t.same(await ask(pod, metadata, agentAt), ['azure', 'agent'], 'without us');
    const [passedBy, heard] = [heardFromNow(imds), heardFromNow(agent)];
    const redirect = scene.redirect(backend);
    await redirect.raiseGuard();
    t.same(await ask(pod, metadata), ['silence'], 'with the guard alone');
    await redirect.redirect(2579);
    t.same(await ask(pod, metadata, agentAt), ['agent', 'silence']);
    t.same([heard(), passedBy()], [[pod.ip], []]);
    t.same(await ask(node, metadata, agentAt), ['azure', 'agent'], 'the node itself');
  });
}
