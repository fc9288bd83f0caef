import { systemClock } from '../../lib/platform/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { metric } from '../lab/nmi/standard-scene.ts';
import type { Client } from './client.ts';
import { inTurn, type Result, type Row, rowOf, timed } from './row.ts';
import { answersTo, ask, type Run, reach, type Seat, type Stage } from './stage.ts';

/** Something that happens to users. */
export interface Case {
  /** Short, of a-z; part of its pods' names. */
  readonly key: string;
  readonly title: string;
  /** What every user was promised, as a sentence about clients. */
  readonly promised: string;
  /** What the lab does. */
  readonly setting: string;
  readonly remark?: string;
  readonly bound: boolean;
  /** What the user of this client was promised. */
  promise(client: Client): Result;
  run(stage: Stage, seats: readonly Seat[]): Promise<Row[]>;
}

/** Longer than the second that an SDK gives to a probe. */
const assignmentMs = 2_000;
/** Longer than the 8 s for which a request is held, but for clients that are known not to ask again. */
const lateMs = 12_000;
const dayS = 86_400;
/** The agent gives no token with less life than this left, s. */
const leastLeftS = 300;
/** Programs at a time; SDKs start slowly, and the machine may have two cores. */
const atOnce = 3;
/** For a client to start and ask, where other work is on the machine, too. */
const patience = { withinMs: 90_000, everyMs: 200 } as const;
const token = (): Result => 'token';

const success: Case = {
  key: 'there',
  title: 'The identity is there',
  promised: 'every client gets its token',
  setting: 'The identity is assigned to the machine.',
  bound: true,
  promise: token,
  run: (stage, seats) =>
    inTurn(seats, atOnce, async (seat) => {
      await reach(stage, seat, 'Assigned');
      return rowOf(stage, seat, () => ask(stage, seat));
    }),
};

const wait: Case = {
  key: 'soon',
  title: 'The identity comes while the client waits',
  promised: 'every client is patient while its identity is being assigned, and gets its token',
  setting: 'The identity is being assigned; it is there 2 s after the request.',
  bound: true,
  promise: token,
  run: (stage, seats) =>
    inTurn(seats, 1, async (seat) => {
      const waiting = (): Promise<number> => metric(stage.lab, stage.agent, 'podidentity_waiting_requests');
      return rowOf(stage, seat, () =>
        assignedWhile(stage, seat, async (ended) => {
          await eventually('the client waits', async () => ended() || (await waiting()) === 1, patience);
          // The time is what is tried here: some have a second for everything.
          await systemClock.sleep(assignmentMs);
        }),
      );
    }),
};

const late: Case = {
  key: 'late',
  title: 'The identity comes later than a request is held',
  promised: 'every client gets its token though the assignment takes longer than the hold',
  setting:
    'The identity is being assigned. A client that asks again is told 404 after 8 s, and then the identity is there. One that is known not to ask again is held for up to 60 s, and the identity is there after 12 s.',
  bound: true,
  promise: token,
  run: (stage, seats) =>
    inTurn(seats, seats.length, (seat) =>
      rowOf(stage, seat, () =>
        assignedWhile(stage, seat, async (ended) => {
          const until = performance.now() + lateMs;
          const isDue = (): boolean =>
            seat.client.retries ? answersTo(stage, seat).includes(404) : performance.now() > until;
          await eventually('the hold is over', () => ended() || isDue(), patience);
        }),
      ),
    ),
};

const refused: Case = {
  key: 'refused',
  title: 'The pod is bound to no identity',
  promised: 'every client is refused at once, and those that repeat an error say what is missing',
  setting:
    'The pod has no label. The identity that it asks for, if it names one, is on the machine, but is not its own.',
  remark:
    'Where it does not say why, the client has words of its own for every 400. The reason stands in an Event of the pod and in the log of the agent.',
  bound: false,
  promise: ({ repeats }) => (repeats ? 'refused, says why' : 'refused'),
  run: (stage, seats) => inTurn(seats, atOnce, (seat) => rowOf(stage, seat, () => ask(stage, seat))),
};

const busy: Case = {
  key: 'busy',
  title: 'The instance metadata service has had enough',
  promised: 'a 429 of IMDS is passed on, and every client gets its token when it asks again',
  setting:
    'It answers 429 with Retry-After: 1 to the first call. A client that then gives up is run a second time.',
  bound: true,
  promise: ({ retries }) => (retries ? 'token' : 'token, asked again'),
  run: (stage, seats) =>
    inTurn(seats, 1, async (seat) => {
      await reach(stage, seat, 'Assigned');
      await stage.lab.imds.fault({
        kind: 'status',
        status: 429,
        retryAfter: '1',
        path: '/metadata/identity',
      });
      return rowOf(stage, seat, async () => {
        const first = await ask(stage, seat);
        return first.token ? first : { ...(await ask(stage, seat)), again: true };
      });
    }),
};

const expired: Case = {
  key: 'expired',
  title: 'The token in the cache is about to expire',
  promised: 'no client is given a token a second time when little of its life is left',
  setting:
    'The client is run twice. The first token has 5 minutes left, and a few seconds, which are over when it asks again; then tokens have a day. It has to get another one.',
  bound: true,
  promise: token,
  async run(stage, seats) {
    await stage.lab.imds.configure({ tokenLifetimeSec: leastLeftS + 5 });
    const first = await inTurn(seats, atOnce, async (seat) => {
      await reach(stage, seat, 'Assigned');
      const failed = (error: unknown): Run => ({ said: String(error) });
      const { seconds, token } = await timed(() => ask(stage, seat).catch(failed));
      return { seat, seconds, token };
    });
    const last = Math.max(...first.map(({ token }) => token?.expiresOn ?? 0));
    await eventually('no token has 5 minutes left', () => last - Date.now() / 1000 < leastLeftS - 1);
    await stage.lab.imds.configure({ tokenLifetimeSec: dayS });
    return inTurn(first, atOnce, async ({ seat, seconds, token }) => {
      const row = await rowOf(stage, seat, async () => {
        const second = await ask(stage, seat);
        const isNew = token && second.token && second.token.expiresOn > token.expiresOn + dayS / 2;
        return isNew ? second : { said: `no new token: ${second.said}` };
      });
      return { ...row, seconds: seconds + row.seconds };
    });
  },
};

/** Side by side those of different stages, and one after the other those of one; `wait` and `late` count who waits. */
export const stages: readonly (readonly Case[])[] = [
  [success, refused, wait],
  [expired, late, busy],
];

export const cases: readonly Case[] = [success, wait, late, refused, busy, expired];

/** Runs the client while its identity is being assigned; it is assigned when `moment` says so. */
async function assignedWhile(
  stage: Stage,
  seat: Seat,
  moment: (ended: () => boolean) => Promise<void>,
): Promise<Run> {
  await reach(stage, seat, 'Created');
  let ended = false;
  const run = ask(stage, seat).finally(() => {
    ended = true;
  });
  await Promise.all([run, moment(() => ended).then(() => reach(stage, seat, 'Assigned'))]);
  return run;
}
