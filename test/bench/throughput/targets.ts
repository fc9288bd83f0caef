import type { Cell, Compared } from './cells.ts';
import { bare, ours } from './suite.ts';

/** What the original was measured at, on a machine of two cores, with the same requests. */
export const original = {
  /** 64 connections, 110 pods, IMDS at 20 ms. */
  crowd: { perSecond: 1_143, p99Ms: 132, cpuMsPer1000: 1_400 },
  /** One pod, any number of connections. */
  onePod: { perSecond: 2_400 },
  passThrough: { perSecond: 3_536 },
} as const;

/** What a figure must reach, or not exceed. */
export const targets = {
  /** Of the bare server's throughput, in every cell. */
  ofBare: 0.6,
  crowd: {
    perSecond: 10 * original.crowd.perSecond,
    p99Ms: original.crowd.p99Ms / 10,
    cpuMsPer1000: original.crowd.cpuMsPer1000 / 10,
  },
  onePod: { perSecond: 5 * original.onePod.perSecond },
  passThrough: { perSecond: original.passThrough.perSecond },
  callsForOneToken: 1,
  imds: { inFlight: 5, perSecond: 20 },
  firstTokenMs: 500,
  assignedMs: 50,
  idleMb: 80,
  loadedMb: 100,
} as const;

const isCrowd = ({ pods, imdsMs, connections }: Cell): boolean =>
  pods > 1 && imdsMs === 20 && connections === 64;

/** Each figure of a cell that has a target, and whether it is held. */
export function heldIn(cell: Compared): Readonly<Record<'perSecond' | 'ofBare' | 'p99' | 'cpu', boolean>> {
  const [mine, ceiling] = [cell.by[ours], cell.by[bare]];
  const none = { perSecond: Number.NaN, p99Ms: Number.NaN, cpuMsPer1000: Number.NaN };
  const { perSecond, p99Ms, cpuMsPer1000 } = mine ?? none;
  const least = isCrowd(cell) ? targets.crowd.perSecond : cell.pods === 1 ? targets.onePod.perSecond : 0;
  return {
    perSecond: perSecond >= least,
    ofBare: perSecond >= targets.ofBare * (ceiling?.perSecond ?? Number.NaN),
    p99: !isCrowd(cell) || p99Ms <= targets.crowd.p99Ms,
    cpu: !isCrowd(cell) || cpuMsPer1000 <= targets.crowd.cpuMsPer1000,
  };
}
