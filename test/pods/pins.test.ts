import t from 'tap';
import { type Forwarding, type Neighbour, planPins, type WantedPin } from '../../lib/pods/pins.ts';

const bridge = 'cbr0';
const a: WantedPin = { ip: '10.244.1.10', pod: 'apps/a', bridge };
const b: WantedPin = { ip: '10.244.1.11', pod: 'apps/b', bridge };
const macs = { a: '0a:58:0a:f4:01:0a', b: '0a:58:0a:f4:01:0b' };

const known = (ip: string, mac?: string): Neighbour => ({
  ip,
  bridge,
  ...(mac !== undefined && { mac }),
  permanent: false,
  ours: false,
});
const ours = (ip: string, mac: string): Neighbour => ({ ip, bridge, mac, permanent: true, ours: true });
const heard = (mac: string, port: string): Forwarding => ({ bridge, mac, port, fixed: false });
const fixed = (mac: string, port: string): Forwarding => ({ bridge, mac, port, fixed: true });

const resolve = ({ ip }: WantedPin) => ({ do: 'resolve', ip, bridge });
const forget = ({ ip }: WantedPin) => ({ do: 'forget', ip, bridge });
const release = (mac: string, port: string) => ({ do: 'release', mac, port });
const pin = (want: WantedPin, mac: string, port: string) => ({ do: 'pin', ...want, mac, port });

interface Case {
  readonly wanted: readonly WantedPin[];
  readonly neighbours?: readonly Neighbour[];
  readonly forwarding?: readonly Forwarding[];
  readonly steps: readonly object[];
  readonly unpinned?: readonly object[];
}

const cases: Readonly<Record<string, Case>> = {
  'does nothing where nothing is wanted and nothing stands': { wanted: [], steps: [] },
  'asks for an address that nobody has asked for': { wanted: [a], steps: [resolve(a)], unpinned: [a] },
  'asks again for an address that nobody answered for': {
    wanted: [a],
    neighbours: [known(a.ip)],
    steps: [resolve(a)],
    unpinned: [a],
  },
  'does not pin a MAC that is made for another address, which would cut its owner off': {
    wanted: [a],
    neighbours: [known(a.ip, macs.b)],
    forwarding: [heard(macs.b, 'veth-a')],
    steps: [forget(a), resolve(a)],
    unpinned: [{ ...a, mac: macs.b, port: 'veth-a' }],
  },
  'pins what was learned, MAC and port': {
    wanted: [a, b],
    neighbours: [known(a.ip, macs.a), known(b.ip, macs.b)],
    forwarding: [heard(macs.a, 'veth-a'), heard(macs.b, 'veth-b')],
    steps: [pin(a, macs.a, 'veth-a'), pin(b, macs.b, 'veth-b')],
  },
  'asks again when the MAC has no port: it may be that of a former pod': {
    wanted: [a],
    neighbours: [known(a.ip, macs.b)],
    steps: [forget(a), resolve(a)],
    unpinned: [a],
  },
  'asks again when the MAC is on two ports': {
    wanted: [a],
    neighbours: [known(a.ip, macs.a)],
    forwarding: [heard(macs.a, 'veth-a'), heard(macs.a, 'veth-b')],
    steps: [forget(a), resolve(a)],
    unpinned: [a],
  },
  'does not take the port of a MAC on another bridge': {
    wanted: [a],
    neighbours: [known(a.ip, macs.a)],
    forwarding: [{ ...heard(macs.a, 'veth-a'), bridge: 'docker0' }],
    steps: [forget(a), resolve(a)],
    unpinned: [a],
  },
  'leaves a pin that stands': {
    wanted: [a],
    neighbours: [ours(a.ip, macs.a)],
    forwarding: [fixed(macs.a, 'veth-a')],
    steps: [],
  },
  'learns again when the port of its pin went: the pod was made again': {
    wanted: [a],
    neighbours: [ours(a.ip, macs.a)],
    steps: [forget(a), resolve(a)],
    unpinned: [a],
  },
  'learns again when the MAC of its pin is no longer fixed to a port': {
    wanted: [a],
    neighbours: [ours(a.ip, macs.a)],
    forwarding: [heard(macs.a, 'veth-b')],
    steps: [forget(a), resolve(a)],
    unpinned: [a],
  },
  'learns again when the MAC of its pin is fixed in one VLAN only': {
    wanted: [a],
    neighbours: [ours(a.ip, macs.a)],
    forwarding: [fixed(macs.a, 'veth-a'), heard(macs.a, 'veth-a')],
    steps: [release(macs.a, 'veth-a'), forget(a), resolve(a)],
    unpinned: [a],
  },
  'learns again when another program made its pin an ordinary entry': {
    wanted: [a],
    neighbours: [{ ...ours(a.ip, macs.a), permanent: false }],
    forwarding: [fixed(macs.a, 'veth-a')],
    steps: [release(macs.a, 'veth-a'), forget(a), resolve(a)],
    unpinned: [a],
  },
  'takes back the pin of a pod that is gone, the mark last': {
    wanted: [b],
    neighbours: [ours(a.ip, macs.a), ours(b.ip, macs.b)],
    forwarding: [fixed(macs.a, 'veth-a'), fixed(macs.b, 'veth-b')],
    steps: [release(macs.a, 'veth-a'), forget(a)],
  },
  'takes back one of the two addresses of a pod without letting go of its port': {
    wanted: [a],
    neighbours: [ours(a.ip, macs.a), ours(b.ip, macs.a)],
    forwarding: [fixed(macs.a, 'veth-a')],
    steps: [forget(b)],
  },
  "leaves other programs' entries alone, wanted or not": {
    wanted: [a],
    neighbours: [
      { ...ours(a.ip, macs.a), ours: false },
      { ...ours(b.ip, macs.b), ours: false },
    ],
    forwarding: [fixed(macs.b, 'veth-b')],
    steps: [],
  },
  'pins both addresses of one pod': {
    wanted: [a, { ...b, pod: a.pod }],
    neighbours: [known(a.ip, macs.a), known(b.ip, macs.a)],
    forwarding: [heard(macs.a, 'veth-a')],
    steps: [pin(a, macs.a, 'veth-a'), pin({ ...b, pod: a.pod }, macs.a, 'veth-a')],
  },
  "refuses an answer from a pinned pod's port for another pod, whatever the MAC": {
    wanted: [a, b],
    neighbours: [known(a.ip, '02:00:00:00:00:01'), ours(b.ip, macs.b)],
    forwarding: [heard('02:00:00:00:00:01', 'veth-b'), fixed(macs.b, 'veth-b')],
    steps: [forget(a), resolve(a)],
    unpinned: [{ ...a, mac: '02:00:00:00:00:01', port: 'veth-b' }],
  },
  'refuses both when one port answers for two pods and neither is pinned': {
    wanted: [a, b],
    neighbours: [known(a.ip, macs.b), known(b.ip, macs.b)],
    forwarding: [heard(macs.b, 'veth-b')],
    steps: [forget(a), resolve(a), forget(b), resolve(b)],
    unpinned: [
      { ...a, mac: macs.b, port: 'veth-b' },
      { ...b, mac: macs.b, port: 'veth-b' },
    ],
  },
};

for (const [promise, { wanted, neighbours = [], forwarding = [], steps, unpinned = [] }] of Object.entries(
  cases,
)) {
  t.test(promise, async (t) => {
    t.same(planPins(wanted, { neighbours, forwarding }), { steps, unpinned });
  });
}
