import { checkAgents, checkMic } from './agents.ts';
import { checkAssignments } from './assignments.ts';
import { checkEndpoints } from './endpoints.ts';
import type { Facts } from './facts.ts';
import type { Verdict } from './finding.ts';
import { checkIdentities } from './identities.ts';
import { checkLabels } from './labels.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkLetterCase } from './letter-case.ts';
import { checkNetworkPolicies } from './network-policies.ts';
import { checkNetwork } from './networks.ts';
import { checkBackend, checkBridges } from './node-facts.ts';
import { checkRights } from './rights.ts';

/** Something that is looked at. */
export interface Check {
  /** For programs. */
  readonly name: string;
  /** For people: what is well when nothing is found. */
  readonly title: string;
  readonly examine: (facts: Facts) => Verdict;
}

/** All of them, in the order of a packet's way where they have one. */
export const checks: readonly Check[] = [
  { name: 'agents', title: 'Agents run and are ready, and their rules stand', examine: checkAgents },
  { name: 'mic', title: 'MIC runs where it has to', examine: checkMic },
  { name: 'rights', title: 'The programs have the rights that they need', examine: checkRights },
  { name: 'backend', title: 'The iptables backend of each node is known', examine: checkBackend },
  { name: 'network', title: 'The network plugin sends packets by the redirect', examine: checkNetwork },
  { name: 'bridges', title: "No pod can take another's address (kubenet, bridges)", examine: checkBridges },
  {
    name: 'network-policies',
    title: 'Network policies let pods reach the agent',
    examine: checkNetworkPolicies,
  },
  { name: 'identities', title: 'Identities and bindings are complete', examine: checkIdentities },
  { name: 'labels', title: 'Labels and bindings find each other', examine: checkLabels },
  { name: 'letter-case', title: 'Fields are written as they are read', examine: checkLetterCase },
  { name: 'endpoints', title: 'Pods ask the metadata service', examine: checkEndpoints },
  { name: 'assignments', title: 'No assignment is stuck', examine: checkAssignments },
  { name: 'leftovers', title: 'Nothing of the original is left', examine: checkLeftovers },
];

/** What a check came to. */
export interface Examined extends Verdict {
  readonly check: Check;
}

export function examineAll(facts: Facts): readonly Examined[] {
  return checks.map((check) => ({ check, ...check.examine(facts) }));
}
