import { type NmiConfig, podPortsUsed } from '../config/nmi-flags.ts';
import { callerAddress } from '../metadata/caller.ts';
import type { StandingOf } from '../metadata/connections.ts';
import type { Cluster } from './cluster.ts';

/** True when the pods' listener hears the loopback, too. */
export function coversLoopback(listen: string): boolean {
  return listen === '127.0.0.1' || listen === '0.0.0.0';
}

/**
 * The ports that pods may be redirected to: an agent has one, its successor another. A third where the pods' listener hears the
 * loopback: an agent that serves pods on the second has `/host/token` on the first there.
 */
export function podPorts({ nmiPort }: NmiConfig, listen: string): readonly [number, number] {
  return [nmiPort, nmiPort + (coversLoopback(listen) ? podPortsUsed - 1 : 1)];
}

/** `onlyLocal`: the loopback is for the node's own processes; where `route_localnet` is on, pods reach it, too. */
export function standingOf(
  remote: string,
  onlyLocal: boolean,
  { caches, index }: Cluster,
): ReturnType<StandingOf> | 'pod' {
  const address = callerAddress(remote) ?? '';
  if (address === '127.0.0.1' || address === '::1') return 'known';
  if (onlyLocal) return 'refused';
  if (!caches.synced) return 'known';
  return index.holderOf(address).kind === 'none' ? 'stranger' : 'pod';
}
