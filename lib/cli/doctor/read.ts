import type { Connection } from '../../kube/connection.ts';
import { parsing, texts } from '../../kube/fields.ts';
import { getObject } from '../../kube/get.ts';
import { listAll } from '../../kube/list.ts';
import { micAssigned } from '../../kube/mic-assigned.ts';
import { micBindings, micIdentities } from '../../kube/mic-resources.ts';
import type { Resource } from '../../kube/resource.ts';
import { azurePodIdentityExceptions } from '../../kube/resources.ts';
import { AppError } from '../../model/errors.ts';
import type { Agent, Workload } from '../agents/agent.ts';
import { Programs } from '../agents/read.ts';
import { lastWarning } from '../events.ts';
import { knownMode, type ModeFlags, modeOn } from '../explain/mode.ts';
import { listIfInstalled } from '../lists.ts';
import { orNone, type Told, told } from '../told.ts';
import { egressPolicies } from './egress.ts';
import type { Complaint, Facts } from './facts.ts';
import { readAccess } from './read-access.ts';
import { readLogs } from './read-logs.ts';
import { allDaemonSets, allDeployments, clusterRoles, seenNodes, seenPods, written } from './resources.ts';

export interface Reading {
  readonly connection: Connection;
  readonly signal: AbortSignal;
  /** Told while it takes. */
  readonly progress: (line: string) => void;
  /** The agents' flags, where they are said instead of read. */
  readonly given: ModeFlags;
}

/** Of so many pods that are not ready it is asked why. */
const mostComplaints = 10;

/**
 * Reads all that the checks look at; what cannot be read is told as such. Throws AppError `kube-unreachable` where nothing can.
 * Rejects for a fault of ours, and on abort.
 */
export async function readFacts(reading: Reading): Promise<Facts> {
  const { connection, signal, progress } = reading;
  const lists = new Lists(reading);
  progress('reading the agents');
  const programs = new Programs(connection, signal);
  const agents = await programs.agents();
  // The same would be said of each list, one deadline after the other.
  if (agents.kind === 'untold' && agents.code === 'kube-unreachable')
    throw new AppError(agents.code, agents.why);
  const agentSets = await programs.agentSets();
  const mics = await programs.mics();
  const strangers = { nmi: programs.strangers('nmi'), mic: programs.strangers('mic') };
  const mode = knownMode(modeOn('', { pods: agents, sets: agentSets }, reading.given));
  // Before the pods; see RepairView.
  const assigned = await lists.of(micAssigned(), { optional: mode.kind === 'untold' || mode.value.managed });
  const pods = await lists.of(seenPods());
  const nodes = await lists.of(seenNodes);
  const identities = await lists.of(written(micIdentities));
  const bindings = await lists.of(written(micBindings));
  const exceptions = await lists.of(written(azurePodIdentityExceptions));
  const policies = withoutIngress(await lists.of(egressPolicies));
  const daemonSets = await lists.of(allDaemonSets);
  const deployments = await lists.of(allDeployments);
  const roles = await lists.of(clusterRoles);
  const cilium = await readCilium(reading);
  progress('reading the logs of the agents');
  const logs = agents.kind === 'untold' ? agents : await readLogs(connection, agents.value, signal);
  const complaints = await readComplaints(reading, [...orNone(agents), ...orNone(mics)]);
  progress('asking for the rights of the programs');
  const access = await judgeAccess(reading, { agents, agentSets, mics, mode, identities });
  const { unreadable } = lists;
  return {
    mode,
    agents,
    agentSets,
    mics,
    strangers,
    pods,
    nodes,
    identities,
    bindings,
    exceptions,
    assigned,
    unreadable,
    policies,
    daemonSets,
    deployments,
    roles,
    logs,
    complaints,
    cilium,
    access,
  };
}

/** Which rights are needed depends on the mode. */
async function judgeAccess(
  { connection, signal }: Reading,
  {
    agents,
    agentSets,
    mics,
    mode,
    identities,
  }: Pick<Facts, 'agents' | 'agentSets' | 'mics' | 'mode' | 'identities'>,
): Promise<Facts['access']> {
  if (agents.kind === 'untold') return agents;
  if (mode.kind === 'untold') return mode;
  const running = { agents: agents.value, agentSets: orNone(agentSets), mics: orNone(mics) };
  return readAccess(connection, { ...running, mode: mode.value, identities: orNone(identities) }, signal);
}

/** Lists, and what could not be parsed of ours. */
class Lists {
  readonly #reading: Reading;
  #unreadable: string[] = [];

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  get unreadable(): readonly string[] {
    return this.#unreadable;
  }

  /** `optional`: where its CRD is not installed there are none, and that is as it should be. */
  async of<T>(resource: Resource<T>, { optional = false } = {}): Promise<Told<readonly T[]>> {
    const { connection, signal, progress } = this.#reading;
    progress(`reading ${resource.name}`);
    const list = optional ? listIfInstalled : listAll;
    const listing = await told(resource, list(connection, resource, signal));
    if (listing.kind === 'untold') return listing;
    const { items, dropped } = listing.value;
    if (resource.name.startsWith('azure'))
      this.#unreadable.push(...dropped.map((key) => `${resource.name} ${key}`));
    return { kind: 'told', value: items };
  }
}

function withoutIngress<T>(policies: Told<readonly (T | 'ingress')[]>): Told<readonly T[]> {
  if (policies.kind === 'untold') return policies;
  return { kind: 'told', value: policies.value.filter((policy): policy is T => policy !== 'ingress') };
}

/** Cilium's settings, where it is installed as its own documents say. */
async function readCilium({
  connection,
  signal,
}: Reading): Promise<Told<readonly Readonly<Record<string, string>>[]>> {
  const path = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
  const answer = await getObject(connection, path, signal);
  switch (answer.kind) {
    case 'found':
      return { kind: 'told', value: [parsing(answer.raw, (object) => texts(object, 'data')) ?? {}] };
    case 'absent':
      return { kind: 'told', value: [] };
    case 'refused':
      return { kind: 'untold', why: 'configmaps: no right to get cilium-config in kube-system' };
    case 'silent':
      return { kind: 'untold', why: answer.why };
  }
}

async function readComplaints(
  { connection, signal }: Reading,
  workloads: readonly (Agent | Workload)[],
): Promise<Told<readonly Complaint[]>> {
  const waiting = workloads.filter(({ ready, deleting }) => !ready && !deleting).slice(0, mostComplaints);
  const complaints: Complaint[] = [];
  for (const { namespace, name } of waiting) {
    const message = await lastWarning(connection, { kind: 'Pod', namespace, name }, signal);
    if (message !== undefined) complaints.push({ namespace, pod: name, message });
  }
  return { kind: 'told', value: complaints };
}
