import t from 'tap';
import type { Caller } from '../../lib/model/decision.ts';
import { Arrivals } from '../../lib/pods/arrivals.ts';
import { Directory, type DirectoryOptions } from '../../lib/pods/directory.ts';
import { type Holder, PodIndex } from '../../lib/pods/pod-index.ts';
import { FakeClock } from '../fakes/clock.ts';
import { aPod } from '../fakes/model.ts';

const ip = '10.0.0.7';
const patient = new AbortController().signal;
const known = aPod({ uid: 'known' });
const found = aPod({ uid: 'found' });
const down = new Error('no answer');

interface Case {
  /** What the watch has told; nothing unless said. */
  readonly index?: readonly Parameters<PodIndex['upsert']>[0][];
  readonly fresh?: boolean;
  readonly live: Holder | Error;
  readonly answer: string;
  readonly looks: number;
}

const none: Holder = { kind: 'none' };
const unsure: Holder = { kind: 'unsure' };
const pod: Holder = { kind: 'pod', pod: found };
const two = [known, aPod({ uid: 'second', name: 'second' })];

const cases: Readonly<Record<string, Case>> = {
  'answers what a fresh watch knows for sure without asking': {
    index: [known],
    live: down,
    answer: 'known',
    looks: 0,
  },
  'looks for what the watch does not know': { live: pod, answer: 'found', looks: 1 },
  'does not know whom nobody knows': { live: none, answer: 'unknown', looks: 1 },
  'lets a fresh look settle what the watch is unsure of': {
    index: two,
    live: pod,
    answer: 'found',
    looks: 1,
  },
  'says unsettled when a fresh look is unsure too': {
    index: two,
    live: unsure,
    answer: 'unsettled',
    looks: 1,
  },
  'believes a fresh look that the address is free': { index: two, live: none, answer: 'unknown', looks: 1 },
  'asks again for what a silent watch knew': {
    index: [known],
    fresh: false,
    live: pod,
    answer: 'found',
    looks: 1,
  },
  'believes a fresh look over a silent watch': {
    index: [known],
    fresh: false,
    live: none,
    answer: 'unknown',
    looks: 1,
  },
  'serves what a silent watch knew when the API is away': {
    index: [known],
    fresh: false,
    live: down,
    answer: 'known',
    looks: 1,
  },
  'gives nobody an identity when the API is away and the address unknown': {
    live: down,
    answer: 'unknown',
    looks: 1,
  },
  'gives nobody an identity when the API is away and two claim the address': {
    index: two,
    live: down,
    answer: 'unsettled',
    looks: 1,
  },
  'is unsettled when the API is away and the only claimant has ended': {
    index: [aPod({ activity: 'ended' })],
    live: down,
    answer: 'unsettled',
    looks: 1,
  },
};

/** A directory whose live looks give `live`, and what was looked for. */
function start({ index: pods = [], fresh = true, live }: Omit<Case, 'answer' | 'looks'>) {
  const clock = new FakeClock();
  const arrivals = new Arrivals(clock);
  const index = new PodIndex((ip) => arrivals.came(ip));
  index.replace(pods);
  const asked: string[] = [];
  const look = async (what: string): Promise<Holder> => {
    asked.push(what);
    if (live instanceof Error) throw live;
    return live;
  };
  const lookers = { holderOf: look, named: look };
  const options: DirectoryOptions = { clock, index, arrivals, fresh: () => fresh, live: lookers };
  return { directory: new Directory(options), index, asked, clock };
}

const brief = (caller: Caller): string => (caller.kind === 'pod' ? caller.pod.uid : caller.kind);

for (const [promise, { answer, looks, ...situation }] of Object.entries(cases)) {
  t.test(promise, async (t) => {
    const { directory, asked, clock } = start(situation);
    const asking = directory.at(ip, patient);
    await clock.advance(2_000);
    t.equal(brief(await asking), answer);
    t.same(asked, Array(looks).fill(ip));
  });
}

t.test('serves a container that asks before the API knows the address of its pod', async (t) => {
  const { directory, index, clock } = start({ live: none });
  const asking = [directory.at(ip, patient), directory.at(ip, patient)];
  const another = directory.at('10.0.0.8', patient);
  await clock.advance(1_999);
  index.upsert(known);
  t.same((await Promise.all(asking)).map(brief), ['known', 'known']);
  await clock.advance(1);
  t.equal(brief(await another), 'unknown', 'who has another address has waited in vain');
  t.equal(clock.waiting, 0);
});

t.test('does not wait for a pod to be told of when nobody can tell', async (t) => {
  t.equal(brief(await start({ live: down }).directory.at(ip, patient)), 'unknown', 'the API is away');
  const silent = start({ live: none, fresh: false });
  t.equal(brief(await silent.directory.at(ip, patient)), 'unknown', 'the watch is silent');
  const { directory, clock } = start({ live: none });
  t.equal(brief(await directory.at(ip, AbortSignal.abort())), 'unknown', 'the client has left');
  t.equal(clock.waiting, 0);
});

t.test('holds 256 requests of unknown addresses, and tells the next one at once to come again', async (t) => {
  const { directory, index, clock } = start({ live: none });
  const from = (i: number): string => `10.0.1.${i % 8}`;
  const asking = Array.from({ length: 256 }, (_, i) => directory.at(from(i), patient));
  await clock.advance(0);
  t.equal(brief(await directory.at('10.0.0.8', patient)), 'unknown');
  for (let i = 0; i < 8; i++) index.upsert(aPod({ uid: 'known', name: `pod${i}`, ips: [from(i)] }));
  t.same(new Set((await Promise.all(asking)).map(brief)), new Set(['known']));
  const later = directory.at('10.0.0.8', patient);
  await clock.advance(1_999);
  index.upsert(aPod({ uid: 'late', name: 'late', ips: ['10.0.0.8'] }));
  t.equal(brief(await later), 'late', 'there is room again');
});

const hostPod = aPod({ uid: 'host', hostNetwork: true, ips: [] });

const byName: Readonly<Record<string, Case>> = {
  'names a pod that a fresh watch knows without asking': {
    index: [known],
    live: down,
    answer: 'known',
    looks: 0,
  },
  'names a pod that shares the addresses of the node': {
    index: [hostPod],
    live: down,
    answer: 'host',
    looks: 0,
  },
  'names a pod that has no address yet': {
    index: [aPod({ ips: [], phase: 'Pending', activity: 'starting' })],
    live: down,
    answer: 'uid-web',
    looks: 0,
  },
  'looks for a name that the watch does not know': { live: pod, answer: 'found', looks: 1 },
  'does not know a name that nobody has': { live: none, answer: 'unknown', looks: 1 },
  'does not know a pod of that name in another namespace': {
    index: [aPod({ namespace: 'other' })],
    live: none,
    answer: 'unknown',
    looks: 1,
  },
  'asks again for a name that a silent watch knew': {
    index: [known],
    fresh: false,
    live: none,
    answer: 'unknown',
    looks: 1,
  },
  'names what a silent watch knew when the API is away': {
    index: [known],
    fresh: false,
    live: down,
    answer: 'known',
    looks: 1,
  },
  'knows nobody by a new name when the API is away': { live: down, answer: 'unknown', looks: 1 },
};

for (const [promise, { answer, looks, ...situation }] of Object.entries(byName)) {
  t.test(promise, async (t) => {
    const { directory, asked } = start(situation);
    t.equal(brief(await directory.named('apps', 'web')), answer);
    t.same(asked, Array(looks).fill('apps/web'));
  });
}

t.test(
  'a known pod waits half a second to be confirmed, and no longer for an API that swallows packets',
  async (t) => {
    const clock = new FakeClock();
    const index = new PodIndex();
    index.replace([known]);
    const swallowed = (): Promise<Holder> => clock.sleep(2_000).then(() => Promise.reject(down));
    const live = { holderOf: swallowed, named: swallowed };
    const arrivals = new Arrivals(clock);
    const directory = new Directory({ clock, index, arrivals, fresh: () => false, live });
    let answered = '';
    const asking = directory.at(ip, patient).then((caller) => {
      answered = brief(caller);
    });
    await clock.advance(499);
    t.equal(answered, '');
    await clock.advance(1);
    t.equal(answered, 'known');
    await asking;
    const unknown = directory.at('10.0.0.8', patient);
    await clock.advance(2_000);
    t.equal(brief(await unknown), 'unknown', 'who is not known waits for the answer');
    t.equal(clock.waiting, 0);
  },
);

t.test('one address that floods leaves room for pods that start', async (t) => {
  const clock = new FakeClock();
  const arrivals = new Arrivals(clock);
  const { signal } = new AbortController();
  for (let i = 0; i < 256; i++) void arrivals.wait('10.0.0.66', signal);
  const other = arrivals.wait('10.0.0.7', signal);
  arrivals.came('10.0.0.7');
  t.equal(await other, true);
});
