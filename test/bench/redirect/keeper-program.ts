/**
 * Run on a node: the keeper at its own pace, with nothing around it. Writes `ready` when all stands.
 *
 *   node test/bench/redirect/keeper-program.ts BACKEND GUARD
 */
import type { BackendName } from '../../../lib/redirect/iptables.ts';
import { createRedirect } from '../../../lib/redirect/redirect.ts';
import type { GuardChoice } from '../../../lib/redirect/upkeep.ts';
import { podPort, redirectOptions } from './options.ts';

const [backend, guard] = process.argv.slice(2) as [BackendName, GuardChoice];
const redirect = createRedirect(redirectOptions(backend, guard));
await redirect.raiseGuard();
await redirect.redirect(podPort);
console.log('ready');
await redirect.keep(new AbortController().signal);
