import t from 'tap';
import { createDirectory, type DirectoryOptions } from '../../lib/pods/directory.ts';
import { type Holder, PodIndex } from '../../lib/pods/pod-index.ts';
import { aPod } from '../fakes/model.ts';

const ip = '10.0.0.7';
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

for (const [promise, { index: pods = [], fresh = true, live, answer, looks }] of Object.entries(cases)) {
  t.test(promise, async (t) => {
    const index = new PodIndex();
    index.replace(pods);
    const asked: string[] = [];
    const failures: unknown[] = [];
    const options: DirectoryOptions = {
      index,
      fresh: () => fresh,
      live: async (address) => {
        asked.push(address);
        if (live instanceof Error) throw live;
        return live;
      },
      onLiveFailure: (error) => failures.push(error),
    };
    const caller = await createDirectory(options)(ip);
    t.equal(caller.kind === 'pod' ? caller.pod.uid : caller.kind, answer);
    t.same(asked, Array(looks).fill(ip));
    t.strictSame(failures, looks === 1 && live instanceof Error ? [down] : [], 'a failure is told');
  });
}
