import type { NmiConfig } from '../config/nmi-flags.ts';
import { callerAddress } from '../metadata/caller.ts';
import type { StandingOf } from '../metadata/connections.ts';
import type { ListenPlan } from '../redirect/node-address.ts';
import type { Cluster } from './cluster.ts';

/** The pods' address, and the loopback for `/host/token` where the first does not cover it. */
export function addressesOf({ hostToken }: NmiConfig, { listen }: ListenPlan): string[] {
  const covered = listen === '127.0.0.1' || listen === '0.0.0.0' || listen === '::';
  return covered || hostToken === 'off' ? [listen] : [listen, '127.0.0.1'];
}

/** `onlyLocal`: the loopback is for the node's own processes; where `route_localnet` is on, pods reach it, too. */
export function standingOf(
  remote: string,
  onlyLocal: boolean,
  { caches, index }: Cluster,
): ReturnType<StandingOf> {
  const address = callerAddress(remote) ?? '';
  if (address === '127.0.0.1' || address === '::1') return 'known';
  if (onlyLocal) return 'refused';
  return !caches.synced || index.holderOf(address).kind !== 'none' ? 'known' : 'stranger';
}
