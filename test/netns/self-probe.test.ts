import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { messageOf } from '../../lib/model/errors.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import type { Verdict } from '../../lib/redirect/self-probe.ts';
import { addresses } from '../lab/addresses.ts';
import { eventually } from '../lab/eventually.ts';
import { kill } from '../lab/namespaces.ts';
import { skip } from './namespaces.ts';
import { metadata, podPort, type Scene, setScene } from './scene.ts';

/** The agent under test has the second of the pods' ports; on the first is the listener `agent` of the scene, a stranger. */
const ownPort = podPort + 1;
const toMetadata = `-d ${addresses.imds}/32 -p tcp --dport 80`;

interface ProbeScene extends Scene {
  /** The verdict of an agent on the node, behind `prefix` where that is given. */
  probe(...prefix: string[]): Promise<Verdict>;
  iptables(line: string): Promise<void>;
  /** The node's interfaces and routes, by name, as they should be again when all is over. */
  network(): Promise<string>;
}

async function setProbeScene(t: Test, backend: 'nft' | 'legacy'): Promise<ProbeScene> {
  const scene = await setScene(t);
  const { onNode } = scene;
  const redirect = scene.redirect(backend);
  await redirect.raiseGuard();
  await redirect.redirect(ownPort);
  t.match(redirect.state(), { guard: 'present', redirect: 'present' });
  const program = join(import.meta.dirname, 'probing-agent.ts');
  const run = async (file: string, args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await onNode(file, args, { timeoutMs: 30_000 });
    if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  return {
    ...scene,
    async probe(...prefix) {
      const agent = [process.execPath, program, addresses.node, `${ownPort}`, addresses.imds, backend];
      const [file = '', ...args] = [...prefix, ...agent];
      return JSON.parse(await run(file, args)) as Verdict;
    },
    iptables: async (line) => void (await run(`iptables-${backend}`, ['-w', '5', ...line.split(' ')])),
    network: async () => {
      const names = (await run('ip', ['-br', 'link'])).split('\n').map((line) => line.split(' ', 1)[0]);
      return [...names, await run('ip', ['route'])].join('\n');
    },
  };
}

for (const backend of ['nft', 'legacy'] as const) {
  t.test(`on the real kernel, ${backend}`, { skip }, async (t) => {
    const scene = await setProbeScene(t, backend);
    const { probe, iptables } = scene;
    const before = await scene.network();
    t.afterEach(async () => {
      t.equal(await scene.network(), before, 'no interface and no route is left');
    });

    t.test('a redirect that works is proven', async (t) => {
      t.same(await probe(), { kind: 'proven' });
    });

    t.test('with NET_ADMIN and NET_RAW alone, too', async (t) => {
      const caps = '-all,+net_admin,+net_raw';
      const prefix = ['setpriv', '--bounding-set', caps, '--inh-caps', caps, '--no-new-privs'];
      t.same(await probe(...prefix), { kind: 'proven' });
    });

    t.test('without any right it cannot be told', async (t) => {
      const verdict = await probe('setpriv', '--bounding-set', '-all', '--inh-caps', '-all');
      t.match(verdict, { kind: 'unknown', why: /Operation not permitted/ });
    });

    t.test('a rule in front that sends packets to somebody else disproves it', async (t) => {
      const rule = `PREROUTING ${toMetadata} -j DNAT --to-destination ${addresses.node}:${podPort}`;
      await iptables(`-t nat -I ${rule}`);
      t.match(await probe(), { kind: 'disproven', why: /not by this agent \("HTTP\/1.1 200 OK"\)/ });
      t.same(await scene.ask('pod', metadata), { agent: 1 }, 'as a pod finds');
      await iptables(`-t nat -D ${rule}`);
    });

    t.test('NOTRACK in front disproves it: packets come to the guard, twice', async (t) => {
      await iptables(`-t raw -I PREROUTING ${toMetadata} -j CT --notrack`);
      t.match(await probe(), { kind: 'disproven', why: /die in the guard .*NOTRACK/ });
      t.same(await scene.ask('pod', metadata), { silence: 1 }, 'as a pod finds');
      await iptables('-t raw -F');
    });

    t.test('the metadata service itself disproves it', async (t) => {
      await iptables(`-t nat -I PREROUTING ${toMetadata} -j ACCEPT`);
      await iptables('-t mangle -I FORWARD -j ACCEPT');
      await iptables('-t nat -A POSTROUTING -s 198.18.0.0/15 -j MASQUERADE');
      const hits = scene.azureHits();
      t.match(await probe(), { kind: 'disproven', why: /not by this agent/ });
      t.equal(scene.azureHits(), hits + 1);
      t.same(await scene.ask('pod', metadata), { azure: 1 }, 'as a pod finds');
      await iptables('-t nat -D PREROUTING 1');
      await iptables('-t mangle -D FORWARD 1');
      await iptables('-t nat -D POSTROUTING 1');
    });

    for (const [how, verdict] of [
      ['DROP', 'silence'],
      ['REJECT --reject-with tcp-reset', 'Connection refused'],
    ] as const) {
      t.test(`a firewall that knows no such interface is no disproof: ${how}`, async (t) => {
        await iptables(`-I INPUT ! -i cbr0 -p tcp --dport ${ownPort} -j ${how}`);
        t.match(await probe(), { kind: 'unknown', why: new RegExp(verdict) });
        await iptables('-D INPUT 1');
      });
    }

    t.test('with all of that gone it is proven again', async (t) => {
      t.same(await probe(), { kind: 'proven' });
    });
  });
}

const noNft = skip || (await systemExec('nft', ['-v'], { timeoutMs: 5_000 }).then(() => false, messageOf));

t.test(
  'no probe sees a datapath that takes pods past netfilter, so what looks like one stays suspected',
  { skip: noNft },
  async (t) => {
    const scene = await setProbeScene(t, 'nft');
    t.same(await scene.ask('node', metadata), { azure: 1 });
    const args = ['-j', 'neigh', 'show', addresses.azure];
    const { stdout } = await scene.onNode('ip', args, { timeoutMs: 5_000 });
    const [azure] = JSON.parse(stdout) as { lladdr: string }[];
    // As Cilium does by eBPF: from the pod's interface to the node's, before any hook of iptables.
    const native = [
      'add table netdev ebpf',
      'add chain netdev ebpf pod { type filter hook ingress device veth10 priority 0; }',
      `add rule netdev ebpf pod ip daddr ${addresses.imds} ether daddr set ${azure?.lladdr} fwd to eth0`,
    ];
    t.match(await scene.onNode('nft', [native.join('; ')], { timeoutMs: 5_000 }), { code: 0, stderr: '' });
    t.same(await scene.ask('pod', metadata), { azure: 1 });
    t.same(await scene.probe(), { kind: 'proven' });
  },
);

t.test('a probe that is killed in the middle leaves nothing behind', { skip }, async (t) => {
  const scene = await setProbeScene(t, 'nft');
  const before = await scene.network();
  await scene.iptables('-I INPUT -p tcp -j DROP'); // the question waits for its 2 s
  const over = scene.probe();
  const { device, pid } = await eventually('a probe is under way', async () => {
    const [, device] = /\b(vethpi[0-9a-f]{7})@/.exec(await scene.network()) ?? [];
    const pid = device === undefined ? undefined : runningWith(device);
    return device === undefined || pid === undefined ? undefined : { device, pid };
  });
  kill(pid);
  t.match(await over, { kind: 'unknown' });
  await eventually('all is gone', async () => (await scene.network()) === before);
  t.equal(runningWith(device), undefined);
});

/** The process that was started with this word among its arguments. */
function runningWith(word: string): number | undefined {
  const pid = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return (
        readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(word) &&
        readlinkSync(`/proc/${name}/exe`).endsWith('bash')
      );
    } catch {
      return false; // it has ended
    }
  });
  return pid === undefined ? undefined : Number(pid);
}
