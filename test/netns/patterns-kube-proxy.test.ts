import t, { type Test } from 'tap';
import { messageOf } from '../../lib/model/errors.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { addresses } from '../lab/addresses.ts';
import { skip } from './namespaces.ts';
import { backends, heardFromNow, metadata, setTopology, type Topology } from './topologies.ts';

const noNft =
  skip ||
  (await systemExec('nft', ['-v'], { timeoutMs: 5_000 }).then(
    () => false,
    (error: unknown) => `kube-proxy's nftables mode needs the package nftables: ${messageOf(error)}`,
  ));

const clusterIp = '10.96.0.9';

/** The table that kube-proxy writes in nftables mode, as far as one Service goes. */
const table = (endpoint: string): string => `
table ip kube-proxy {
  map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { ${clusterIp} . tcp . 80 : goto external-x }
  }
  chain external-x {
    meta l4proto tcp dnat to ${endpoint}
  }
  chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips
  }
  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
  }
}
`;
/** What a Service with the metadata address as its external IP adds: anybody who may make Services can (CVE-2020-8554). */
const external = `add element ip kube-proxy service-ips { ${addresses.imds} . tcp . 80 : goto external-x }`;

async function nft({ onNode }: Topology, stdin: string): Promise<void> {
  const { code, stderr } = await onNode('nft', ['-f', '-'], { timeoutMs: 10_000, stdin });
  if (code !== 0) throw new Error(stderr);
}

async function follow(t: Test, backend: BackendName, first: 'ours' | 'theirs'): Promise<void> {
  const scene = await setTopology(t);
  const { ask, pod, node, imds } = scene;
  const backing = scene.bridged(11);
  const endpoint = `${backing.ip}:8080`;
  await scene.listen('service', backing, endpoint);
  await scene.listen('agent', node, `${node.ip}:2579`);
  const redirect = scene.redirect(backend);
  if (first === 'theirs') await nft(scene, table(endpoint));
  await redirect.redirect(2579);
  if (first === 'ours') await nft(scene, table(endpoint));

  await t.test('a pod is redirected, and reaches its Services', async (t) => {
    const passedBy = heardFromNow(imds);
    t.same(await ask(pod, metadata, `${clusterIp}:80`), ['agent', 'service']);
    t.same(await ask(node, metadata), ['azure']);
    t.same(passedBy(), [node.ip]);
  });

  // Of two nat chains with one priority the one that was registered last is asked first, and who translates first has it.
  await t.test('with a Service for the metadata address no pod reaches Azure or that Service', async (t) => {
    const passedBy = heardFromNow(imds);
    await nft(scene, external);
    await redirect.redirect(2579);
    t.same(await ask(pod, metadata), [first === 'ours' ? 'silence' : 'agent']);
    t.same(passedBy(), []);
  });
}

t.jobs = 4;
for (const backend of backends) {
  for (const first of ['ours', 'theirs'] as const) {
    const name = `beside kube-proxy in nftables mode, ${backend}, ${first} first`;
    t.test(name, { skip: noNft, buffered: true }, (t) => follow(t, backend, first));
  }
}
