import { chmodSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses, podAddress } from '../../lab/addresses.ts';
import type { Agent, AgentOptions } from '../../lab/agent.ts';
import type { Lab } from '../../lab/lab.ts';
import { nodeOf } from '../../lab/network.ts';
import { ready, startProcess } from '../../lab/processes.ts';
import { crowdedLab } from '../memory-scene.ts';

/** What answers the pods of a lab: each has a lab of its own, so that all of them stand side by side and are asked in turn. */
export interface Contender {
  readonly name: string;
  readonly lab: Lab;
  /** Of the process that answers. */
  readonly pid: number;
  /** Of the pods; none where only `demo` is there. */
  readonly addresses: readonly string[];
}

/** How a contender is started: an agent's launcher, or `bare`. */
export interface Candidate {
  readonly name: string;
  /** A program that takes the agent's flags; undefined for the bare server. */
  readonly program?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** As long as the token answers of the lab are. */
const bareBytes = 1_350;
const agentPort = 2579;

/**
 * A node with that many pods. All but the first are objects in the API and addresses in the first one's network: an agent tells
 * pods apart by their address alone, and one process can ask from all of them.
 */
export async function podsLab(pods: number): Promise<{ lab: Lab; addresses: readonly string[] }> {
  const lab = await crowdedLab(pods);
  if (pods === 1) return { lab, addresses: [] };
  const all = Array.from({ length: pods }, (_, number) => podAddress(addresses.firstPod + number));
  const batch = all.slice(1).map((ip) => `address add ${ip}/32 dev eth0\n`);
  const { code, stderr } = await lab.exec('demo', ['ip', '-batch', '-'], { stdin: batch.join('') });
  if (code !== 0) throw new Error(`the pods' addresses cannot be set: ${stderr}`);
  return { lab, addresses: all };
}

export async function contender(candidate: Candidate, pods: number): Promise<Contender> {
  const place = await podsLab(pods);
  const { name, program, env = {} } = candidate;
  if (program === undefined) return { name, ...place, pid: await startBare(place.lab) };
  const agent = await startReady(place.lab, { program, env });
  return { name, ...place, pid: agent.pid };
}

export async function startReady(lab: Lab, options: AgentOptions): Promise<Agent> {
  const agent = lab.startAgent(options);
  await agent.ready();
  return agent;
}

/** Behind the very rules that an agent has set: it serves, its rules are kept as text, and its port is taken over. */
async function startBare(lab: Lab): Promise<number> {
  const agent = await startReady(lab, { backend: 'nft' });
  const rules = await lab.iptablesSave('nft');
  await agent.stop();
  const { code, stderr } = await lab.onNode(['iptables-nft-restore'], { stdin: rules });
  if (code !== 0) throw new Error(`the agent's rules cannot be set again: ${stderr}`);
  const program = join(import.meta.dirname, 'bare-program.ts');
  const command = [process.execPath, program, addresses.node, `${agentPort}`, `${bareBytes}`] as const;
  const bare = startProcess({
    ...{ namespace: nodeOf(lab.id), command: [...command] },
    log: join(lab.folder, 'bare.log'),
  });
  await ready('the bare server', bare);
  return bare.pid;
}

/** A launcher for a command that has arguments of its own. */
export function launcher(command: string, folder: string): string {
  const path = join(folder, 'other-agent');
  writeFileSync(path, `#!/bin/sh\nexec ${command} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The log of a million requests is a third of a gigabyte. */
export function clearLog({ folder }: Lab): void {
  truncateSync(join(folder, 'agent1.log'));
}
