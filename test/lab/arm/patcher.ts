import { readFileSync } from 'node:fs';
import { createArm } from '../../../lib/assign/arm.ts';
import { createArmToken, fromImds } from '../../../lib/assign/arm-token.ts';
import { applyChanges } from '../../../lib/assign/bisect.ts';
import { changesOf } from '../../../lib/assign/identity-patch.ts';
import { machineOf } from '../../../lib/assign/machine.ts';
import { Throttle } from '../../../lib/assign/throttle.ts';
import { cloudConfigOf } from '../../../lib/config/cloud-config.ts';
import { systemClock as clock } from '../../../lib/platform/clock.ts';
import { createHttpClient } from '../../../lib/platform/http.ts';

/**
 * `patcher.ts IMDS_URL MACHINE_ID ID…`: puts these identities on the machine, as MIC does, with the cloud of the environment and the
 * machine's own identity; prints what became of each as a JSON object. A program, since the simulator's certificate must be trusted from
 * the start.
 */
const [imdsUrl = '', machineId = '', ...add] = process.argv.slice(2);
const environmentFile = readFileSync(process.env.AZURE_ENVIRONMENT_FILEPATH ?? '', 'utf8');
const config = cloudConfigOf({ file: undefined, env: process.env, environmentFile });
const machine = machineOf(machineId);
if (typeof config === 'string' || !machine || config.credential.kind !== 'managed-identity')
  throw new Error(typeof config === 'string' ? config : `${machineId} is no machine`);

const { arm: origin, armAudience: audience } = config.cloud;
const userAgent = 'pod-identity/MIC/test';
const imds = createHttpClient({ origin: imdsUrl, connections: 1, maxBytes: 65_536, clock });
const http = createHttpClient({ origin, connections: 2, maxBytes: 1_000_000, clock });
const fetch = fromImds({ http: imds, userAgent, audience, identity: config.credential.identity });
const token = createArmToken(clock, fetch);
const arm = createArm({ clock, http, origin, token, userAgent, throttle: new Throttle(clock) });
const current = await arm.identitiesOf(machine);
const changes = changesOf(current, { add, remove: [] });
const { signal } = new AbortController();
const outcomes = await applyChanges(changes, { arm, machine, current, signal, rest: async () => undefined });
console.log(JSON.stringify(Object.fromEntries(outcomes)));
await Promise.all([http.close(), imds.close()]);
