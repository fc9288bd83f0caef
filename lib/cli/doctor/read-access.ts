import { micFlags } from '../../config/mic-flags.ts';
import type { Connection } from '../../kube/connection.ts';
import { type AzureIdentity, identityTypes } from '../../model/identity.ts';
import { podKey } from '../../model/pod.ts';
import type { Agent, Workload } from '../agents/agent.ts';
import type { AgentSet } from '../agents/read.ts';
import type { Mode } from '../explain/mode.ts';
import type { Told } from '../told.ts';
import { type Access, askAccess, type ServiceAccount } from './access.ts';
import { agentNeeds, micNeeds, type Need } from './needs.ts';

/** The programs that run. */
export interface Running {
  readonly agents: readonly Agent[];
  readonly mics: readonly Workload[];
  readonly agentSets: readonly AgentSet[];
  readonly mode: Mode;
  readonly identities: readonly AzureIdentity[];
}

const { leaderElectionNamespace, leaderElectionName } = micFlags;
const lease: ServiceAccount = {
  namespace: leaderElectionNamespace.default,
  name: leaderElectionName.default,
};

/** Whether our programs have the rights that they need; the original's need others. */
export async function readAccess(
  connection: Connection,
  { agents, agentSets, mics, mode, identities }: Running,
  signal: AbortSignal,
): Promise<Told<readonly Access[]>> {
  const principals = identities.filter(({ type }) => type !== identityTypes.managedIdentity);
  const asked: Access[] = [];
  const ask = async (program: Access['program'], account: ServiceAccount, needs: readonly Need[]) => {
    const told = await askAccess(connection, { program, account }, needs, signal);
    if (told.kind === 'told') asked.push(...told.value);
    return told;
  };
  for (const account of accountsOf(agents)) {
    const { namespace } = account;
    const daemonSet = agentSets.find((set) => set.namespace === namespace)?.name ?? 'nmi';
    const kind = { namespace, daemonSet, managed: mode.managed, principals };
    const told = await ask('NMI', account, agentNeeds(kind));
    if (told.kind === 'untold') return told;
  }
  for (const account of mode.managed ? [] : accountsOf(mics)) {
    const told = await ask('MIC', account, micNeeds(lease));
    if (told.kind === 'untold') return told;
  }
  if (asked.length === 0)
    return { kind: 'untold', why: 'no program of ours runs, whose rights could be asked for' };
  return { kind: 'told', value: asked };
}

function accountsOf(workloads: readonly Workload[]): readonly ServiceAccount[] {
  const own = workloads.filter(({ original }) => !original);
  const accounts = own.map(({ namespace, account }) => ({ namespace, name: account }));
  return [...new Map(accounts.map((account) => [podKey(account), account])).values()];
}
