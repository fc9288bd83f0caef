import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type ExecResult, systemExec } from '../../lib/platform/exec.ts';
import { addresses } from './addresses.ts';
import { type Agent, type AgentOptions, agentCommand, agentHandle } from './agent.ts';
import { type EntraClient, entraClient } from './entra/control.ts';
import { type ImdsClient, imdsClient } from './imds/client.ts';
import { connectKube, type KubeClient } from './kube/client.ts';
import { type ControllerSide, controllerSide } from './mic.ts';
import { bare, inside, unavailable } from './namespaces.ts';
import { azureOf, buildNetwork, nodeOf } from './network.ts';
import { nodeObject } from './objects.ts';
import { disown, own } from './owned.ts';
import { type PodOptions, Pods } from './pods.ts';
import { type LabProcess, type ProcessOptions, ready, startProcess } from './processes.ts';
import {
  folderOf,
  type LabState,
  type PodState,
  readState,
  removeLab,
  reserve,
  startTime,
  sweep,
  writeState,
} from './state.ts';

export interface LabOptions {
  /** 1 to 8 of a-z and 0-9; random unless said. Labs with different ids do not see each other. */
  readonly id?: string;
  readonly pods?: readonly PodOptions[];
}

export interface ExecOptions {
  /** 30,000 unless said; the command is killed then, with AppError `exec-timeout`. */
  readonly timeoutMs?: number;
  readonly stdin?: string;
}

/** A node, its pods, a Kubernetes API and an Azure on one machine, without an agent until `startAgent`. */
export interface Lab extends ControllerSide {
  readonly id: string;
  /** Holds state.json, kubeconfig, kube.sock, imds.sock and the log of each process. */
  readonly folder: string;
  readonly imds: ImdsClient;
  readonly kube: KubeClient;
  /** Makes the pod's namespace and its Pod object, Running with a running container. */
  addPod(pod: PodOptions): Promise<PodState>;
  /** Takes away the Pod object, then its processes and its network. */
  removePod(name: string): Promise<void>;
  startAgent(options?: AgentOptions): Agent;
  /** Microsoft Entra ID's token endpoint, on Azure's address and port 443. Not there before, and to be started once. */
  startEntra(): Promise<EntraClient>;
  /** Runs a command in a pod. Only the network is the pod's own; files and users are the machine's. */
  exec(pod: string, command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  onNode(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  onAzure(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** What `iptables-save` prints on the node. */
  iptablesSave(backend: 'nft' | 'legacy'): Promise<string>;
  /** Lets the lab outlive this process, until somebody takes it down. */
  keep(): void;
  /** Leaves nothing: no process, no namespace, no file. Fine to call again. */
  down(): void;
}

/**
 * Builds a lab that ends with this process, however that ends; one whose owner was killed is swept by the next. Rejects, and
 * leaves nothing, without root, when the id is taken, or when a part does not start.
 */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const { id = randomBytes(3).toString('hex'), pods = [] } = options;
  const reason = unavailable();
  if (reason) throw new Error(reason);
  if (!/^[a-z0-9]{1,8}$/.test(id)) throw new Error(`a lab's id is 1 to 8 of a-z and 0-9, not ${id}`);
  sweep();
  reserve(id);
  own(id);
  try {
    buildNetwork(id);
    await startAzure(id);
    const lab = await labHandle(id);
    await lab.kube.apply(nodeObject());
    for (const pod of pods) await lab.addPod(pod);
    return lab;
  } catch (error) {
    remove(id);
    throw error;
  }
}

async function labHandle(id: string): Promise<Lab> {
  const folder = folderOf(id);
  const kube = await connectKube({ socket: join(folder, 'kube.sock') });
  const pods = new Pods(id, kube);
  const onNode: Lab['onNode'] = (command, options) => execIn(nodeOf(id), command, options);
  return {
    ...{ id, folder, kube, onNode },
    ...controllerSide(id, {
      onNode,
      simulator: (name, listen) => startSimulator(id, name, listen),
      start: (name, command, env) => startRecorded(id, name, { namespace: nodeOf(id), command, env }),
    }),
    imds: imdsClient(join(folder, 'imds.sock')),
    addPod: (pod) => pods.add(pod),
    removePod: (name) => pods.remove(name),
    startAgent: (options = {}) => startAgent(id, options, onNode),
    startEntra: async () => {
      await startSimulator(id, 'entra', `${addresses.azure}:443`);
      const caFile = join(folder, 'entra-ca.crt');
      return entraClient(join(folder, 'entra.sock'), { origin: `https://${addresses.azure}`, caFile });
    },
    exec: async (pod, command, options) => execIn(pods.namespaceOf(pod), command, options),
    onAzure: (command, options) => execIn(azureOf(id), command, options),
    iptablesSave: async (backend) => (await onNode([`iptables-${backend}-save`])).stdout,
    keep: () => {
      writeState({ ...currentState(id), owner: null });
      disown(id);
    },
    down: () => {
      remove(id);
      void kube.close();
    },
  };
}

export function execIn(
  namespace: string,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return systemExec('nsenter', [...inside(namespace), ...bare(command)], { timeoutMs: 30_000, ...options });
}

function currentState(id: string): LabState {
  const state = readState(id);
  if (!state) throw new Error(`there is no lab ${id}`);
  return state;
}

async function startAzure(id: string): Promise<void> {
  await Promise.all([
    startSimulator(id, 'imds', `${addresses.imds}:80`),
    startSimulator(id, 'kube', `${addresses.azure}:${addresses.kubePort}`),
  ]);
}

/** `name` is its folder. */
async function startSimulator(id: string, name: string, listen: string): Promise<void> {
  const main = join(import.meta.dirname, name, 'main.ts');
  const command = [process.execPath, main, '--listen', listen, '--dir', folderOf(id)] as const;
  await ready(name, startRecorded(id, name, { namespace: azureOf(id), command: [...command] }));
}

function startAgent(id: string, options: AgentOptions, onNode: Lab['onNode']): Agent {
  const name = `agent${currentState(id).processes.filter((process) => process.name.startsWith('agent')).length + 1}`;
  const env = { KUBECONFIG: join(folderOf(id), 'kubeconfig'), ...options.env };
  const agent = startRecorded(id, name, { namespace: nodeOf(id), command: agentCommand(options), env });
  return agentHandle(agent, options, onNode);
}

function startRecorded(id: string, name: string, options: Omit<ProcessOptions, 'log'>): LabProcess {
  const log = join(folderOf(id), `${name}.log`);
  const started = startProcess({ ...options, log });
  const state = currentState(id);
  const record = { name, pid: started.pid, startTime: startTime(started.pid) ?? '', log };
  writeState({ ...state, processes: [...state.processes, record] });
  return started;
}

function remove(id: string): void {
  removeLab(id);
  disown(id);
}
