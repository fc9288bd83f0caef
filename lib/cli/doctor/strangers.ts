import { podKey } from '../../model/pod.ts';
import { installing } from '../agents/commands.ts';
import { type Component, strangeness } from '../agents/standing.ts';
import { orNone } from '../told.ts';
import type { Facts } from './facts.ts';
import { type Finding, listed } from './finding.ts';

/** Beside programs that count, what looks like one is of no account: else any tenant could keep this from ending well. */
export function strange(component: Component, facts: Facts): readonly Finding[] {
  const [first, ...others] = facts.strangers[component];
  if (!first) return [];
  const { found, ask } = strangeness(component, first);
  const alike = others.length > 0 ? `; so it is with ${listed(others.map(podKey))}` : '';
  return [
    {
      severity: isServed(component, facts) ? 'note' : 'warning',
      what: `${found}${alike}`,
      why: 'Somebody made it who is not of this installation; or it is, and its ClusterRoleBinding is gone, and then it does not work',
      // What brings the binding back is not offered: it would be installed at the word of whoever made a pod.
      mend: ask,
    },
  ];
}

function isServed(component: Component, { agents, mics, mode }: Facts): boolean {
  if (component === 'nmi') return orNone(agents).length > 0;
  return orNone(mics).length > 0 || (mode.kind === 'told' && mode.value.managed && orNone(agents).length > 0);
}

/**
 * The command that puts back what an installation brings, in the mode of the agents; none where that is not known, since the other
 * mode's overlay would take it from them. What only looks like agents may be the cluster's own without their rights: while nothing
 * else tells of the mode, it is a guess.
 */
export function restoring({ mode, agents, agentSets, strangers }: Facts): readonly string[] {
  const isGuess = strangers.nmi.length > 0 && orNone(agents).length + orNone(agentSets).length === 0;
  if (mode.kind === 'untold' || isGuess) return [];
  return [installing(mode.value.managed ? 'managed' : 'standard')];
}
