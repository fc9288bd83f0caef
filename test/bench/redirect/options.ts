import { readFile } from 'node:fs/promises';
import { systemClock } from '../../../lib/platform/clock.ts';
import { systemExec } from '../../../lib/platform/exec.ts';
import { createLogger } from '../../../lib/platform/log.ts';
import type { BackendName } from '../../../lib/redirect/iptables.ts';
import type { RedirectOptions } from '../../../lib/redirect/redirect.ts';
import type { GuardChoice } from '../../../lib/redirect/upkeep.ts';
import { addresses } from '../../lab/addresses.ts';

export const podPort = 2579;

/** The redirect stage as the agent has it, for a program that runs on the lab's node and has nothing else to do. */
export function redirectOptions(backend: BackendName, guard: GuardChoice): RedirectOptions {
  return {
    ...{ exec: systemExec, clock: systemClock, random: Math.random, backend, guard },
    answers: async () => 'no',
    log: createLogger('json', { to: { write: () => undefined } }),
    readFile: (path) => readFile(path, 'utf8'),
    rules: {
      ...{ metadataIp: addresses.imds, metadataPort: 80 },
      ...{ listen: addresses.node, targetIp: addresses.node },
      ports: [podPort, podPort + 1],
      owner: 'be',
    },
    conntrackDeletion: true,
    onRepair: () => undefined,
  };
}
