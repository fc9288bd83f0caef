import type { Connection } from '../../kube/connection.ts';
import { parseNode } from '../../kube/daemonsets.ts';
import { getObject } from '../../kube/get.ts';
import { plainName, podsOfNode } from '../../kube/resources.ts';
import type { Decision, TokenRequest } from '../../model/decision.ts';
import { AppError } from '../../model/errors.ts';
import { fitsNode } from '../../model/node-selector.ts';
import type { Pod } from '../../model/pod.ts';
import { bestOf } from '../agents/agent.ts';
import { type AgentSet, Programs } from '../agents/read.ts';
import { usageError } from '../arguments.ts';
import { lastWarning } from '../events.ts';
import { orNone, type Told } from '../told.ts';
import { readBooks } from './books.ts';
import type { Facts } from './facts.ts';
import { judgeBy } from './judge.ts';
import { type Agents, type ModeFlags, modeOn } from './mode.ts';
import { tokenStep } from './token.ts';

/** What is asked: this pod, and its request. */
export interface Question {
  readonly namespace: string;
  readonly name: string;
  readonly request: TokenRequest;
  /** What the caller says of the agent's flags. */
  readonly given: ModeFlags;
}

/** Reads all that the answer takes. Throws AppError: `kube-refused` for a pod that is not there, and what `getObject` leaves silent. */
export async function readFacts(
  connection: Connection,
  question: Question,
  signal: AbortSignal,
): Promise<Facts> {
  const pod = await readPod(connection, question, signal);
  const programs = new Programs(connection, signal);
  const [pods, sets] = await Promise.all([programs.agents(), programs.agentSets()]);
  const agents: Agents = { pods, sets };
  const mode = modeOn(pod.node, agents, question.given);
  const books = await readBooks(connection, mode, pod, signal);
  const judge = judgeBy(mode, books);
  const decision = judge.kind === 'told' ? judge.value(pod, question.request) : judge;
  const strangers = programs.strangers('nmi').filter(({ node }) => node === pod.node);
  const basis = { pod, strangers, request: question.request, programs, agents, mode, books, decision };
  return { ...basis, ...(await readFurther(connection, basis, signal)) };
}

export async function readPod(
  connection: Connection,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Pod> {
  if (!plainName.test(namespace) || !plainName.test(name)) {
    throw usageError(
      `${JSON.stringify(`${namespace}/${name}`)} cannot be the namespace and the name of a pod`,
    );
  }
  const answer = await getObject(connection, `/api/v1/namespaces/${namespace}/pods/${name}`, signal);
  if (answer.kind === 'absent')
    throw new AppError('kube-refused', `there is no pod ${name} in namespace ${namespace}`);
  if (answer.kind === 'refused') {
    throw new AppError(
      'kube-refused',
      `no right to get pod ${name} in namespace ${namespace} (${answer.status})`,
    );
  }
  if (answer.kind === 'silent') throw new AppError('kube-unreachable', answer.why);
  const pod = podsOfNode('').parse(answer.raw);
  if (!pod) throw new AppError('kube-garbled', `the API server's answer is not pod ${namespace}/${name}`);
  return pod;
}

type Basis = Pick<Facts, 'pod' | 'strangers' | 'request' | 'agents' | 'mode' | 'books' | 'decision'> & {
  readonly programs: Programs;
};

/** What only some answers need. */
async function readFurther(
  connection: Connection,
  basis: Basis,
  signal: AbortSignal,
): Promise<Pick<Facts, 'mics' | 'warning' | 'wanting' | 'token'>> {
  const { decision, mode, programs, request } = basis;
  const allowed = decision.kind === 'told' && decision.value.kind === 'allow' ? decision.value : undefined;
  const waits = !mode.managed && decision.kind === 'told' && decision.value.kind === 'wait';
  const { settings } = mode;
  const [mics, warning, wanting, token] = await Promise.all([
    waits ? programs.mics() : ({ kind: 'untold', why: 'not asked' } as const),
    readWarning(connection, basis, signal),
    readWanting(connection, basis, signal),
    allowed && tokenStep(allowed.identity, request.resource, { connection, settings }),
  ]);
  return { mics, warning, wanting, token };
}

/** About what is waited for: the identity that Azure has not got yet, else the agent that is not ready. */
async function readWarning(
  connection: Connection,
  { decision, agents, books, pod }: Basis,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = awaited(decision);
  const assigned = orNone(books.assigned).find(
    (each) => each.pod === pod.name && each.identity.name === name,
  );
  if (assigned) return lastWarning(connection, { kind: 'AzureIdentity', ...assigned.identity }, signal);
  const agent = bestOf(orNone(agents.pods).filter(({ node }) => node === pod.node));
  return agent && !agent.ready ? lastWarning(connection, { kind: 'Pod', ...agent }, signal) : undefined;
}

function awaited(decision: Told<Decision>): string | undefined {
  if (decision.kind === 'untold' || decision.value.kind !== 'wait') return undefined;
  return decision.value.why.code === 'not-assigned' ? decision.value.why.identity : undefined;
}

/** Asked only where no agent is on the node. */
async function readWanting(
  connection: Connection,
  { agents, pod }: Basis,
  signal: AbortSignal,
): Promise<readonly AgentSet[] | undefined> {
  const sets = orNone(agents.sets);
  const isThere = orNone(agents.pods).some((agent) => agent.node === pod.node && !agent.deleting);
  if (sets.length === 0 || isThere || pod.node === '') return undefined;
  const answer = await getObject(connection, `/api/v1/nodes/${encodeURIComponent(pod.node)}`, signal);
  const node = answer.kind === 'found' ? parseNode(answer.raw) : undefined;
  const known = sets.every(({ selector }) => selector !== undefined);
  return node && known ? sets.filter(({ selector }) => selector && fitsNode(selector, node)) : undefined;
}
