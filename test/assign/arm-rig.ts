import type { Test } from 'tap';
import { type Arm, createArm } from '../../lib/assign/arm.ts';
import type { ArmCall } from '../../lib/assign/arm-call.ts';
import type { Machine } from '../../lib/assign/machine.ts';
import { Throttle } from '../../lib/assign/throttle.ts';
import { createHttpClient } from '../../lib/platform/http.ts';
import { FakeClock } from '../fakes/clock.ts';
import { type ArmSimulator, startArm } from '../lab/arm/arm.ts';
import type { ManagedIdentity } from '../lab/arm/types.ts';
import { mintToken, sampleIdentity, sampleSystemIdentity } from '../lab/imds/token.ts';

export const vm: Machine = { kind: 'vm', subscription: 'sub1', resourceGroup: 'MC_lab', name: 'node1' };
export const vmss: Machine = { ...vm, kind: 'vmss', name: 'pool1' };
export const [red, green, blue, grey] = ['red', 'green', 'blue', 'grey'].map(identity) as [
  ...[ManagedIdentity, ManagedIdentity, ManagedIdentity, ManagedIdentity],
];
export const sampleSystem = sampleSystemIdentity();
export const unending = new AbortController().signal;

export function identity(name: string): ManagedIdentity {
  return sampleIdentity(name);
}

export function idOf({ resourceId }: ManagedIdentity): string {
  return resourceId.toLowerCase();
}

/** Who sleeps is woken at once, and the time is then as if he had slept. */
export class LeapingClock extends FakeClock {
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (!signal?.aborted) await this.advance(ms);
  }
}

export interface Rig {
  readonly arm: Arm;
  readonly simulator: ArmSimulator;
  readonly clock: LeapingClock;
  readonly throttle: Throttle;
  readonly calls: ArmCall[];
  /** Limits as ARM tells them: `SUBSCRIPTION LIMIT LEFT`. */
  readonly remaining: string[];
  /** The tokens that ARM has been shown are of these, by turns; the last one stays. */
  readonly tokens: string[];
}

/** The client and the simulator on one clock, with `node1`, `pool1` and four managed identities. */
export async function rig(test: Test): Promise<Rig> {
  const clock = new LeapingClock();
  const simulator = await startArm({ clock });
  const http = createHttpClient({ origin: simulator.origin, connections: 2, maxBytes: 1_000_000, clock });
  test.teardown(async () => {
    await http.close();
    await simulator.close();
  });
  await simulator.createIdentities(red, green, blue, grey);
  await simulator.addMachines(vm, vmss);
  const calls: ArmCall[] = [];
  const remaining: string[] = [];
  const throttle = new Throttle(clock, (...told) => remaining.push(told.join(' ')));
  const tokens = [tokenFor('https://management.azure.com', clock.now())];
  const arm = createArm({
    ...{ clock, http, throttle, origin: simulator.origin, userAgent: 'pod-identity/MIC/test' },
    token: async () => (tokens.length > 1 ? tokens.shift() : tokens[0]) ?? '',
    onCall: (call) => calls.push(call),
  });
  return { arm, simulator, clock, throttle, calls, remaining, tokens };
}

export function tokenFor(audience: string, nowMs: number): string {
  const { body } = mintToken(sampleIdentity('mic'), audience, 86_400, nowMs);
  return (JSON.parse(body) as { access_token: string }).access_token;
}
