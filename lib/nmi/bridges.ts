import { messageOf } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Exec } from '../platform/exec.ts';
import type { Logger } from '../platform/log.ts';
import { Loop } from '../platform/loop.ts';
import { createBridgeWarning, readBridges } from '../pods/bridges.ts';
import { createNeighbourPins } from '../pods/neighbours.ts';
import type { Cluster } from './cluster.ts';

export interface BridgeCare {
  keep(signal: AbortSignal): Promise<void>;
  /** Pods may have changed. */
  trigger(): void;
  /** After `keep` has ended. */
  withdraw(): Promise<void>;
}

export interface BridgeParts {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Logger;
  readonly cluster: () => Cluster;
}

/** Where pods share a bridge: pins their neighbour entries, or warns that nothing does. */
export function bridgeCare(pin: boolean, { exec, clock, log, cluster }: BridgeParts): BridgeCare {
  const random = Math.random;
  const held = (): ReturnType<Cluster['index']['held']> => cluster().index.held();
  const known = (): ReturnType<typeof held> | undefined => (cluster().caches.synced ? held() : undefined);
  const pins = createNeighbourPins({ exec, clock, log, random, bridges: readBridges, held: known });
  if (pin) return pins;
  const warn = createBridgeWarning({ bridges: readBridges, held, log });
  const onError = (error: unknown): void => log.warn({ why: messageOf(error) }, 'bridges could not be read');
  const pace = { everyMs: 60_000, retryMs: 60_000, minMs: 1_000 };
  const loop = new Loop(async () => warn(), { clock, random, onError, ...pace });
  return {
    keep: async (signal) => {
      await pins.withdraw(); // what an earlier run with the flag left
      await loop.run(signal);
    },
    trigger: () => loop.trigger(),
    withdraw: async () => undefined,
  };
}
