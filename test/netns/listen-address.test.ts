import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { podPorts } from '../../lib/nmi/listeners.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { type ListenPlan, planListen } from '../../lib/redirect/node-address.ts';
import { addresses } from '../lab/addresses.ts';
import { sysctl } from '../lab/namespaces.ts';
import { readFileIn, skip } from './namespaces.ts';
import { aimLoopbackAt, type Place } from './plugs.ts';
import {
  bridgeNetfilter,
  heardFromNow,
  type Listening,
  metadata,
  noBridgeNetfilter,
  setTopology,
  type Topology,
} from './topologies.ts';

const { node, bridge } = addresses;
const loopback = '127.0.0.1';
const all = [loopback, node, bridge];
/** `open`: the node's addresses at which the listener can be asked then. */
const choices = [
  { asked: loopback, routeLocalnet: '1', plan: { listen: loopback, target: loopback }, open: [loopback] },
  { asked: loopback, routeLocalnet: '0', plan: { listen: node, target: node }, open: [node] },
  { asked: node, routeLocalnet: '0', plan: { listen: node, target: node }, open: [node] },
  { asked: '0.0.0.0', routeLocalnet: '1', plan: { listen: '0.0.0.0', target: node }, open: all },
  { asked: '::', routeLocalnet: '1', plan: { listen: '0.0.0.0', target: node }, open: all },
] as const;
type Choice = (typeof choices)[number];

interface Setting extends Topology {
  readonly plan: ListenPlan;
  /** A pod on a /32 veth. */
  readonly atVeth: Place;
  /** On the first of the pods' ports; on the second is the listener `successor`. */
  readonly agent: Listening;
  /** Every address and port of the node at which they can be asked, and who answers there. */
  readonly doors: ReadonlyMap<string, string>;
  /** Redirects pods to the listener `agent`. */
  start(backend: BackendName): Promise<void>;
}

async function setChoice(t: Test, { asked, routeLocalnet, open }: Choice): Promise<Setting> {
  const scene = await setTopology(t);
  const { namespace } = scene.node;
  sysctl(namespace, 'ipv4/conf/all/route_localnet', routeLocalnet);
  const config = loadNmiConfig(['--node=node1', `--nmi-listen-address=${asked}`], {});
  const plan = await planListen(config.nmiListenAddress, config.metadataIp, {
    readFile: readFileIn(namespace),
    sourceTowards: (ip) => sourceTowards(scene, ip),
  });
  const ports = podPorts(config, plan.listen);
  const agent = await scene.listen('agent', scene.node, `${plan.listen}:${ports[0]}`);
  await scene.listen('successor', scene.node, `${plan.listen}:${ports[1]}`);
  const atVeth = scene.routed(10);
  aimLoopbackAt(scene.pod, bridge);
  aimLoopbackAt(atVeth, '169.254.1.1');
  aimLoopbackAt(scene.azure, node);
  const doors = open.flatMap((ip) => [
    [`${ip}:${ports[0]}`, 'agent'] as const,
    [`${ip}:${ports[1]}`, 'successor'] as const,
  ]);
  const rules = { listen: plan.listen, targetIp: plan.target, ports };
  const start = (backend: BackendName) => scene.redirect(backend, rules).redirect(ports[0]);
  return { ...scene, plan, atVeth, agent, doors: new Map(doors), start };
}

async function sourceTowards({ onNode }: Topology, ip: string): Promise<string> {
  const program = join(import.meta.dirname, 'source-towards.ts');
  const { code, stdout, stderr } = await onNode(process.execPath, [program, ip], { timeoutMs: 20_000 });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

async function reversePaths({ onNode }: Topology, filter: string): Promise<void> {
  const script = `for each in /proc/sys/net/ipv4/conf/*/rp_filter; do echo ${filter} >"$each"; done`;
  const { code, stderr } = await onNode('sh', ['-c', script], { timeoutMs: 10_000 });
  if (code !== 0) throw new Error(stderr);
}

async function holds(t: Test, { ask, node, pod, atVeth, azure, imds, agent, doors }: Setting): Promise<void> {
  const targets = [...doors.keys()];
  const silence = targets.map(() => 'silence');
  const heard = heardFromNow(agent);
  const [bridged, routed, other] = await Promise.all([
    ask(pod, metadata, ...targets),
    ask(atVeth, metadata, ...targets),
    ask(azure, ...targets),
  ]);
  t.same(bridged, ['agent', ...silence], 'a pod on the bridge is redirected, and never served directly');
  t.same(routed, ['agent', ...silence], 'a pod on a /32 veth, too');
  t.same(other, silence, 'another machine is not served');
  t.same(heard(), [pod.ip, atVeth.ip], "the listener sees the pods' own addresses");
  t.same(
    await ask(node, metadata, ...targets),
    ['azure', ...doors.values()],
    'the node is served, and not redirected',
  );
  t.same(new Set(imds.peers()), new Set([node.ip]), 'no pod has reached Azure');
}

async function follow(t: Test, choice: Choice, backend: BackendName): Promise<void> {
  const setting = await setChoice(t, choice);
  const { listen, target } = setting.plan;
  t.same({ listen, target }, choice.plan);
  const targets = [...setting.doors.keys()];
  // So that the silence later means something.
  t.same(
    await setting.ask(setting.pod, ...targets),
    [...setting.doors.values()],
    'without us a pod is served directly',
  );
  await setting.start(backend);
  for (const filter of ['0', '1', '2']) {
    for (const on of [false, true]) {
      const skip = on && noBridgeNetfilter;
      await t.test(`rp_filter ${filter}, bridge-nf-call-iptables ${on ? 1 : 0}`, { skip }, async (t) => {
        await reversePaths(setting, filter);
        bridgeNetfilter(setting.node, on);
        await holds(t, setting);
      });
    }
  }
}

t.jobs = 4;
for (const backend of ['nft', 'legacy'] as const) {
  for (const choice of choices) {
    const { asked, routeLocalnet } = choice;
    const name = `--nmi-listen-address=${asked}, route_localnet ${routeLocalnet}, ${backend}`;
    // The backends differ in how they take a rule: one with an address, and one for all addresses.
    if (backend === 'legacy' && asked !== loopback && asked !== '0.0.0.0') continue;
    t.test(name, { skip, buffered: true }, (t) => follow(t, choice, backend));
  }
}
