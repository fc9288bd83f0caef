import type { Leave, UpstreamKind } from '../../lib/model/turn.ts';
import { Governor, type Meter } from '../../lib/tokens/governor.ts';
import { FakeClock } from '../fakes/clock.ts';

export const ok = { status: 200, retryAfter: undefined } as const;

export interface Rig {
  readonly clock: FakeClock;
  readonly governor: Governor;
  /** Who has had a turn, in order. */
  readonly started: string[];
  /** Who was refused, in order, with the seconds to wait. */
  readonly refused: string[];
  /** `KIND STATUS`, `KIND paused MS` and so on, as the meter was told. */
  readonly told: string[];
  readonly standing: Record<UpstreamKind, { readonly inFlight: number; readonly queued: number }>;
  /** Stands in the queue; a turn is kept until `leaves` gives it back. */
  ask(who: string, options?: Asked): void;
  /** The turns that are held, the oldest first. */
  readonly leaves: Leave[];
}

interface Asked {
  readonly kind?: UpstreamKind;
  /** 8,000 unless said. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

export function start(): Rig {
  const clock = new FakeClock();
  const told: string[] = [];
  const idle = { inFlight: 0, queued: 0 };
  const standing: Rig['standing'] = { token: idle, pass: idle };
  const meter: Meter = {
    standing: (kind, now) => {
      standing[kind] = now;
    },
    waited: (kind, ms) => told.push(`${kind} waited ${ms}`),
    called: (kind, status) => told.push(`${kind} ${status}`),
    refused: (kind, why) => told.push(`${kind} ${why}`),
    paused: (kind, ms) => told.push(`${kind} paused ${ms}`),
  };
  const governor = new Governor(clock, meter);
  const [started, refused, leaves] = [[] as string[], [] as string[], [] as Leave[]];
  const ask: Rig['ask'] = (who, { kind = 'token', waitMs = 8_000, signal } = {}) => {
    const until = clock.monotonic() + waitMs;
    governor.enter(kind, { who, until }, signal).then(
      (leave) => {
        started.push(who);
        leaves.push(leave);
      },
      (error: Error & { retryAfter?: string }) => refused.push(`${who} ${error.retryAfter ?? error.name}`),
    );
  };
  return { clock, governor, started, refused, told, standing, ask, leaves };
}

/** Gives every turn back as soon as it is had, `ms` later, until nobody waits. */
export async function serveAll({ clock, leaves, standing }: Rig, ms: number): Promise<void> {
  const left = (): number => standing.token.queued + standing.pass.queued + leaves.length;
  for (let rounds = 0; left() > 0; rounds++) {
    if (rounds > 10_000) throw new Error('the queue does not end');
    await clock.advance(ms);
    for (const leave of leaves.splice(0)) leave(ok);
  }
}
