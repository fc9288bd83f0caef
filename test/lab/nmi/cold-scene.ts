import { join } from 'node:path';
import { addresses, podAddress } from '../addresses.ts';
import type { Agent, AgentOptions } from '../agent.ts';
import { sampleIdentity } from '../imds/token.ts';
import { createLab, type Lab } from '../lab.ts';
import { bindingObject, exceptionObject, identityObject, podObject } from '../objects.ts';

/**
 * A node with 200 pods, each with an identity of its own, none of which has asked for a token yet. They share one network
 * namespace that has all their addresses: the agent tells pods apart by these alone.
 */
export interface ColdScene {
  readonly lab: Lab;
  readonly agent: Agent;
  /** All pods start, and ask for a token at once; what each of them met, in their order. */
  start(url: string): Promise<readonly Started[]>;
}

/** See cold-pods.ts. */
export interface Started {
  readonly appid: string;
  readonly tries: number;
  readonly longestMs: number;
}

export const pods = Array.from({ length: 200 }, (_, i) => ({
  name: `cold${i}`,
  ip: podAddress(addresses.firstPod + 1 + i),
}));

export interface ColdOptions extends AgentOptions {
  /** What the pods' SDK gives an answer, ms; for ever unless said. */
  readonly patienceMs?: number;
}

/** `lab.down` ends it. */
export async function coldScene({ patienceMs = 0, ...options }: ColdOptions = {}): Promise<ColdScene> {
  const lab = await createLab({ pods: [{ name: 'crowd', labels: { app: 'agent' } }] });
  try {
    await settle(lab);
    const agent = lab.startAgent(options);
    await agent.ready();
    const program = [process.execPath, join(import.meta.dirname, 'cold-pods.ts')] as const;
    const start = async (url: string): Promise<readonly Started[]> => {
      const command = [...program, `${patienceMs}`, url, ...pods.map(({ ip }) => ip)] as const;
      const { stdout, stderr } = await lab.exec('crowd', command, { timeoutMs: 120_000 });
      if (!stdout) throw new Error(stderr);
      return JSON.parse(stdout) as Started[];
    };
    return { lab, agent, start };
  } catch (error) {
    lab.down();
    throw error;
  }
}

async function settle({ exec, kube, imds }: Lab): Promise<void> {
  const batch = pods.map(({ ip }) => `address add ${ip}/32 dev eth0\n`).join('');
  await exec('crowd', ['ip', '-batch', '-'], { stdin: batch });
  for (const { name, ip } of pods) {
    const pod = { name, ip, namespace: 'default', hostNetwork: false };
    await kube.apply(podObject(pod, { aadpodidbinding: name }));
    await kube.apply(identityObject(name, 'default', sampleIdentity(name)));
    await kube.apply(bindingObject(name, 'default', name, name));
  }
  await kube.apply(exceptionObject('agents', 'default', { app: 'agent' }));
  await imds.assign(...pods.map(({ name }) => sampleIdentity(name)));
  await imds.configure({ latencyMs: 40 });
}
