import t from 'tap';
import { type Pod, podKey } from '../../lib/model/pod.ts';
import { type Holder, PodIndex } from '../../lib/pods/pod-index.ts';
import { aPod } from '../fakes/model.ts';
import { pick, seeded, shuffled } from '../fakes/random.ts';

const ip = '10.0.0.7';

function indexOf(...pods: readonly Pod[]): PodIndex {
  const index = new PodIndex();
  index.replace(pods);
  return index;
}

/** The UID of the pod that holds it, or why there is none. */
const brief = (holder: Holder): string => (holder.kind === 'pod' ? holder.pod.uid : holder.kind);
const seen = (index: PodIndex, address = ip): string => brief(index.holderOf(address));
const settled = (index: PodIndex, address = ip): string => brief(index.settledHolderOf(address));

/** Names are one pod at a time, so those that stand beside each other have their own. */
const running = aPod({ uid: 'a', name: 'a' });
const starting = aPod({ uid: 'b', name: 'b', phase: 'Pending', activity: 'starting' });
const ended = aPod({ uid: 'c', name: 'c', activity: 'ended' });

const rows: readonly (readonly [promise: string, pods: readonly Pod[], seen: string, settled: string])[] = [
  ['knows nobody at an address that no pod has', [aPod({ ips: ['10.0.0.8'] })], 'none', 'none'],
  ['knows nobody before an address is reported', [aPod({ ips: [], phase: 'Pending' })], 'none', 'none'],
  ['knows a running pod', [running], 'a', 'a'],
  ['knows a pod whose first container is about to start', [starting], 'b', 'b'],
  [
    'is unsure of a pod whose containers have ended, and settles that nobody is there',
    [ended],
    'unsure',
    'none',
  ],
  [
    'never takes a pod for the node that it shares addresses with',
    [aPod({ hostNetwork: true })],
    'none',
    'none',
  ],
  ['leaves out a pod that has succeeded', [aPod({ phase: 'Succeeded' })], 'none', 'none'],
  ['leaves out a pod that has failed', [aPod({ phase: 'Failed' })], 'none', 'none'],
  [
    'leaves out a pod in a phase that nobody knows',
    [aPod({ phase: 'Unknown' }), aPod({ name: 'odd', phase: '' })],
    'none',
    'none',
  ],
  ['is unsure of two that claim one address', [running, starting], 'unsure', 'unsure'],
  ['settles an address for the one that still runs', [ended, running], 'unsure', 'a'],
  ['settles an address for the one that is about to start', [ended, starting], 'unsure', 'b'],
  [
    'settles that nobody is there when all have ended',
    [ended, { ...ended, uid: 'd', name: 'd' }],
    'unsure',
    'none',
  ],
  [
    'lets a finished pod not stand in the way',
    [aPod({ uid: 'f', name: 'f', phase: 'Succeeded' }), running],
    'a',
    'a',
  ],
  [
    'lets a hostNetwork pod not stand in the way',
    [aPod({ uid: 'h', name: 'h', hostNetwork: true }), running],
    'a',
    'a',
  ],
];

for (const [promise, pods, live, fresh] of rows) {
  t.test(promise, async (t) => {
    for (const order of [pods, pods.toReversed()]) {
      t.equal(seen(indexOf(...order)), live);
      t.equal(settled(indexOf(...order)), fresh);
    }
  });
}

t.test('knows a pod by each of its addresses', async (t) => {
  const index = indexOf(aPod({ uid: 'a', ips: [ip, 'fd00::7', ip] }));
  t.equal(seen(index), 'a');
  t.equal(seen(index, 'fd00::7'), 'a');
  index.remove('apps/web');
  t.same([seen(index), seen(index, 'fd00::7')], ['none', 'none']);
});

t.test('follows a pod to another address, and leaves nothing at the old one', async (t) => {
  const index = indexOf(running);
  index.upsert({ ...running, ips: ['10.0.0.9'] });
  t.same([seen(index), seen(index, '10.0.0.9')], ['none', 'a']);
});

t.test('gives the pod as it was reported last', async (t) => {
  const index = indexOf(running);
  index.upsert({ ...running, labels: { aadpodidbinding: 'other' } });
  t.match(index.holderOf(ip), { kind: 'pod', pod: { labels: { aadpodidbinding: 'other' } } });
});

t.test('lets go of an address when its pod finishes, and takes it back when it does not', async (t) => {
  const index = indexOf(running);
  index.upsert({ ...running, phase: 'Succeeded' });
  t.equal(seen(index), 'none');
  index.upsert(running);
  t.equal(seen(index), 'a');
});

t.test("a StatefulSet's new pod takes the place of the old one of the same name", async (t) => {
  const index = indexOf(aPod({ uid: 'old', name: 'db-0', activity: 'ended' }));
  index.upsert(aPod({ uid: 'new', name: 'db-0', ips: ['10.0.0.8'] }));
  t.same(
    [seen(index), seen(index, '10.0.0.8')],
    ['none', 'new'],
    'although nobody told the end of the old one',
  );
  index.upsert(aPod({ uid: 'newer', name: 'db-0', ips: ['10.0.0.8'] }));
  t.equal(seen(index, '10.0.0.8'), 'newer', 'also at the same address');
  index.remove('apps/db-0');
  t.equal(seen(index, '10.0.0.8'), 'none');
});

t.test('forgets everything that a new list does not hold', async (t) => {
  const index = indexOf(running, aPod({ uid: 'x', name: 'x', ips: ['10.0.0.8'] }));
  index.replace([aPod({ uid: 'y', name: 'y', ips: ['10.0.0.9'] })]);
  t.same([seen(index), seen(index, '10.0.0.8'), seen(index, '10.0.0.9')], ['none', 'none', 'y']);
});

t.test('does not mind the end of a pod that it never knew', async (t) => {
  const index = indexOf(running);
  index.remove('apps/never');
  index.remove('other/a');
  t.equal(seen(index), 'a');
});

t.test(
  'an address that goes from pod to pod is never given to the wrong one, in any order of events',
  async (t) => {
    type Event = {
      readonly tells: 'old ends' | 'old is gone' | 'new has it';
      readonly apply: (index: PodIndex) => void;
    };
    const events: readonly Event[] = [
      { tells: 'old ends', apply: (index) => index.upsert({ ...ended, uid: 'a', name: 'a' }) },
      { tells: 'old is gone', apply: (index) => index.remove('apps/a') },
      { tells: 'new has it', apply: (index) => index.upsert(starting) },
    ];
    for (const order of permutations(events)) {
      // One pod's own events keep their order: it does not end after it is gone.
      if (
        order.findIndex(({ tells }) => tells === 'old ends') >
        order.findIndex(({ tells }) => tells === 'old is gone')
      )
        continue;
      const index = indexOf(running);
      const told = new Set<string>();
      for (const { tells, apply } of order) {
        apply(index);
        told.add(tells);
        const expected = told.has('new has it')
          ? { seen: told.has('old is gone') ? 'b' : 'unsure', settled: told.has('old ends') ? 'b' : 'unsure' }
          : { seen: told.has('old is gone') ? 'none' : 'unsure', settled: 'none' };
        t.same({ seen: seen(index), settled: settled(index) }, expected, [...told].join(', then '));
      }
    }
  },
);

t.test('after any events it answers as a scan of all pods would (seeded)', async (t) => {
  const random = seeded(7);
  const ips = ['10.0.0.1', '10.0.0.2', 'fd00::1'] as const;
  const index = new PodIndex();
  const pods = new Map<string, Pod>();
  for (let step = 0; step < 3000; step++) {
    const pod = randomPod(random, ips);
    const dice = random();
    if (dice < 0.02) {
      const kept = shuffled([...pods.values()], random).slice(1);
      pods.clear();
      for (const one of kept) pods.set(podKey(one), one);
      index.replace(kept);
    } else if (dice < 0.3) {
      pods.delete(podKey(pod));
      index.remove(podKey(pod));
    } else {
      pods.set(podKey(pod), pod);
      index.upsert(pod);
    }
    for (const address of ips) {
      const claims = [...pods.values()].filter(
        ({ hostNetwork, phase, ips }) =>
          !hostNetwork && ['Pending', 'Running'].includes(phase) && ips.includes(address),
      );
      const [one, ...more] = claims;
      const expected = !one ? 'none' : more.length > 0 || one.activity === 'ended' ? 'unsure' : one.uid;
      if (seen(index, address) !== expected)
        return t.equal(seen(index, address), expected, `${step}, ${address}`);
    }
  }
  t.pass();
});

function randomPod(random: () => number, ips: readonly [string, ...string[]]): Pod {
  return aPod({
    uid: `uid-${random()}`,
    name: pick(['a', 'b', 'c', 'd', 'e'], random),
    ips: [pick(ips, random), pick(ips, random)].slice(0, Math.floor(random() * 3)),
    phase: pick(['Pending', 'Running', 'Running', 'Succeeded', 'Failed'], random),
    activity: pick(['starting', 'running', 'ended'], random),
    hostNetwork: random() < 0.1,
  });
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
