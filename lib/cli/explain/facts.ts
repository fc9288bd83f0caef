import type { AzureIdentityBinding } from '../../model/binding.ts';
import type { Decision, TokenRequest } from '../../model/decision.ts';
import type { Pod } from '../../model/pod.ts';
import { bindingSelects } from '../../model/selection.ts';
import type { Workload } from '../agents/agent.ts';
import type { AgentSet } from '../agents/read.ts';
import { orNone, type Told } from '../told.ts';
import type { Books } from './books.ts';
import type { Agents, Mode } from './mode.ts';
import type { Step } from './step.ts';

/** All that an explanation is made of. Reading it is read.ts's, judging it the agent's, saying it walk.ts's. */
export interface Facts {
  readonly pod: Pod;
  readonly request: TokenRequest;
  readonly agents: Agents;
  /** Pods on its node that look like agents and are none of the cluster's. */
  readonly strangers: readonly Workload[];
  readonly mode: Mode;
  readonly books: Books;
  readonly decision: Told<Decision>;
  /** The pods of MIC; read where an assignment is waited for. */
  readonly mics: Told<readonly Workload[]>;
  /** What the last warning about an object says; read for the identity that is waited for and for an agent that is not ready. */
  readonly warning: string | undefined;
  /** The DaemonSets of agents that want a pod on that node; undefined where that cannot be told. */
  readonly wanting: readonly AgentSet[] | undefined;
  /** What the agent would ask; undefined where it asks nobody. */
  readonly token: Step | undefined;
}

/** Whether it is known how the agents decide. While nothing else tells of it, what only looks like agents may be them, without their rights. */
export function isModeKnown({ agents, mode, strangers }: Facts): boolean {
  const isTold = strangers.length === 0 || orNone(agents.pods).length + orNone(agents.sets).length > 0;
  return mode.doubt === undefined && isTold;
}

/** The bindings that select the pod, in the agent's sense. */
export function selecting({ pod, books, mode }: Facts): readonly AzureIdentityBinding[] {
  return orNone(books.bindings).filter((each) => bindingSelects(each, pod, !mode.namespaced));
}
