import t, { type Test } from 'tap';
import { restoreText } from '../../lib/redirect/compare.ts';
import { type BackendName, createIptables } from '../../lib/redirect/iptables.ts';
import type { Redirect } from '../../lib/redirect/redirect.ts';
import { addresses } from '../lab/addresses.ts';
import { skip } from './namespaces.ts';
import {
  backends,
  heardFromNow,
  type Listening,
  metadata,
  setTopology,
  type Topology,
} from './topologies.ts';

/** An address that only kube-proxy knows. */
const clusterIp = '10.96.0.9';
const agentAt = `${addresses.node}:2579`;

interface Ruled extends Topology {
  readonly ours: Redirect;
  readonly agent: Listening;
  /** Of a pod that is a Service's endpoint. */
  readonly endpoint: string;
  /** Applies lines of a restore text, and takes everything out of that table when the test is over. */
  rule(t: Test, table: string, ...lines: readonly string[]): Promise<void>;
}

async function setRuled(t: Test, backend: BackendName): Promise<Ruled> {
  const scene = await setTopology(t);
  const agent = await scene.listen('agent', scene.node, agentAt);
  const backing = scene.bridged(11);
  const endpoint = `${backing.ip}:8080`;
  await scene.listen('service', backing, endpoint);
  const iptables = createIptables(scene.onNode, backend);
  const rule: Ruled['rule'] = async (t, table, ...lines) => {
    t.teardown(async () => {
      for (const what of ['-F', '-X'])
        await scene.onNode(`iptables-${backend}`, ['-w', '5', '-t', table, what], { timeoutMs: 10_000 });
    });
    await iptables.restore(restoreText(table, lines));
  };
  return { ...scene, ours: scene.redirect(backend), agent, endpoint, rule };
}

const portals = '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
/** What kube-proxy writes for a Service at `ip:port`; `to` is its endpoint. */
const service = (ip: string, port: number, to: string): string[] => [
  ':KUBE-SERVICES - [0:0]',
  ':KUBE-SVC-X - [0:0]',
  ':KUBE-SEP-X - [0:0]',
  `-A KUBE-SEP-X -p tcp -m tcp -j DNAT --to-destination ${to}`,
  '-A KUBE-SVC-X -j KUBE-SEP-X',
  `-A KUBE-SERVICES -d ${ip}/32 -p tcp -m tcp --dport ${port} -j KUBE-SVC-X`,
];

async function follow(t: Test, scene: Ruled): Promise<void> {
  const { ask, pod, node, imds, agent, endpoint, rule, ours } = scene;

  await t.test(
    "a Service's rule for the metadata address stands behind ours, also when it comes back",
    async (t) => {
      const [passedBy, heard] = [heardFromNow(imds), heardFromNow(agent)];
      await rule(t, 'nat', ...service(addresses.imds, 80, endpoint), `-I PREROUTING 1 ${portals}`);
      t.same(await ask(pod, metadata), ['service'], 'without us');
      await ours.redirect(2579);
      t.same(await ask(pod, metadata), ['agent']);
      await rule(t, 'nat', `-D PREROUTING ${portals}`, `-I PREROUTING 1 ${portals}`);
      t.same(await ask(pod, metadata), ['silence'], 'it is in front again: the guard drops what it takes');
      await ours.redirect(2579);
      t.same(await ask(pod, metadata), ['agent']);
      t.same([heard(), passedBy()], [[pod.ip, pod.ip], []]);
    },
  );

  await t.test('what a Service sends to the metadata address dies in the guard', async (t) => {
    const passedBy = heardFromNow(imds);
    await rule(t, 'nat', ...service(clusterIp, 8888, metadata), `-I PREROUTING 1 ${portals}`);
    await ours.redirect(2579);
    t.same(await ask(pod, `${clusterIp}:8888`, metadata), ['silence', 'agent']);
    t.same(passedBy(), []);
  });

  await t.test("a Service of the pods' own works beside us", async (t) => {
    await rule(t, 'nat', ...service(clusterIp, 80, endpoint), `-I PREROUTING 1 ${portals}`);
    await ours.redirect(2579);
    t.same(await ask(pod, `${clusterIp}:80`, metadata), ['service', 'agent']);
  });

  await t.test("where everything is masqueraded, the agent sees the pod's own address", async (t) => {
    const heard = heardFromNow(agent);
    await rule(t, 'nat', '-A POSTROUTING -j MASQUERADE');
    await ours.redirect(2579);
    t.same(await ask(pod, metadata), ['agent']);
    t.same(heard(), [pod.ip]);
  });

  for (const what of [`-d ${addresses.imds}/32 -p tcp -m tcp --dport 80`, '-p tcp']) {
    await t.test(`with NOTRACK for ${what} a pod is cut off and reaches nobody`, async (t) => {
      const [passedBy, heard] = [heardFromNow(imds), heardFromNow(agent)];
      await ours.redirect(2579);
      await rule(t, 'raw', `-A PREROUTING ${what} -j CT --notrack`);
      t.same(await ask(pod, metadata, agentAt), ['silence', 'silence']);
      t.same([heard(), passedBy()], [[], []]);
      t.same(await ask(node, metadata), ['azure'], 'the node is not');
    });
  }
}

t.jobs = 2;
for (const backend of backends) {
  const name = `beside the rules of others, ${backend}`;
  t.test(name, { skip, buffered: true }, async (t) => follow(t, await setRuled(t, backend)));
}
