import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import type { Agents } from './agents.ts';
import type { Stage } from './stage.ts';

/** What befalls a node beside damage to its rules; takes seconds, and goes on while the rules are damaged. */
export interface Deed {
  readonly name: string;
  /** How often, against 10 for a damage. */
  readonly weight: number;
  /** Of one kind, one at a time. */
  readonly kind: 'life' | 'lock' | 'api';
  /** Only there does it mean anything. */
  readonly only?: BackendName;
  readonly run: (stage: Stage, agents: Agents, random: () => number) => Promise<void>;
}

export const deeds: readonly Deed[] = [
  {
    ...{ name: 'agent killed and started again', kind: 'life', weight: 1 },
    run: (_, agents, random) => agents.killed(2_000 * random()),
  },
  {
    ...{ name: 'agent told to end, then the next started', kind: 'life', weight: 1 },
    run: (_, agents, random) => agents.replaced(2_000 * random()),
  },
  {
    ...{ name: 'hand-over to a second agent', kind: 'life', weight: 1 },
    run: (_, agents) => agents.handedOver(),
  },
  {
    // The nft backend has no lock. This one is the lab's own: the machine's is for everybody.
    ...{ name: 'xtables lock held for up to 8 s', kind: 'lock', weight: 0.5, only: 'legacy' },
    run: async ({ lab, agent }, _, random) => {
      const file = agent.env?.XTABLES_LOCKFILE ?? '';
      await lab.onNode(['flock', file, 'sleep', (1 + 7 * random()).toFixed(1)]);
    },
  },
  {
    ...{ name: 'API server away for up to 10 s', kind: 'api', weight: 0.5 },
    run: async ({ lab }, _, random) => {
      await lab.kube.fault({ away: true });
      await sleep(1_000 + 9_000 * random());
      await lab.kube.fault({ away: false });
    },
  },
];
