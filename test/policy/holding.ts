import type { Decision } from '../../lib/model/decision.ts';
import { Hold } from '../../lib/policy/hold.ts';
import { FakeClock } from '../fakes/clock.ts';
import { anIdentity } from '../fakes/model.ts';

export const waits: Decision = { kind: 'wait', why: { code: 'assignment-missing', binding: 'b' } };
export const allows: Decision = { kind: 'allow', identity: anIdentity(), binding: 'b' };

export interface Bench {
  readonly clock: FakeClock;
  readonly hold: Hold;
  /** How many looks there were. */
  looks: number;
  /** What the next look finds; an Error is thrown. */
  world: Decision | Error;
  wait(ms?: number, signal?: AbortSignal): Promise<Decision>;
}

export function start(world: Decision | Error = waits): Bench {
  const clock = new FakeClock();
  const hold = new Hold(clock);
  const look = (): Decision => {
    bench.looks++;
    if (bench.world instanceof Error) throw bench.world;
    return bench.world;
  };
  const wait: Bench['wait'] = (ms = 8_000, signal = new AbortController().signal) =>
    hold.until(look, ms, signal);
  const bench: Bench = { clock, hold, looks: 0, world, wait };
  return bench;
}
