import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { addresses } from '../lab/addresses.ts';
import type { Agent } from '../lab/agent.ts';
import { claimsOf, sampleIdentity } from '../lab/imds/token.ts';
import type { Lab } from '../lab/lab.ts';
import { azureOf } from '../lab/network.ts';
import { assign, pair, standardAgent, standardLab } from '../lab/nmi/standard-scene.ts';
import type { AssignmentState } from '../lab/objects.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { readState } from '../lab/state.ts';
import type { Client, Question } from './client.ts';

const resource = 'https://vault.azure.net';
/** az takes 60 s in the cases that have waiting in them, and there may be other work on the machine. */
const patienceMs = 150_000;

/** A lab and an agent in standard mode, with no flag that bears on tokens: what clients meet is what users have. */
export interface Stage {
  readonly lab: Lab;
  readonly agent: Agent;
  readonly arm: Question['arm'];
}

/** A client in a pod of its own, which has an identity of its own; both are called `pod`. */
export interface Seat {
  /** Key of the case that it sits in. */
  readonly case: string;
  readonly client: Client;
  readonly pod: string;
  /** The pod is labelled for its identity, and a binding selects it. */
  readonly bound: boolean;
}

/** What one run of a client came to: a token, or what it wrote to stderr. */
export interface Run {
  readonly token?: { readonly jti: string; readonly expiresOn: number };
  readonly said: string;
}

/** The identities of all are on the machine. No assignment is made yet. */
export async function openStage(t: Test, seats: readonly Seat[]): Promise<Stage> {
  const pods = seats.map(({ pod, bound }) => ({ name: pod, ...(!bound && { labels: {} }) }));
  const names = seats.map(({ pod }) => pod);
  const lab = await standardLab(t, pods, names);
  for (const { pod, bound } of seats) if (bound) await lab.kube.apply(pair(pod).binding);
  const arm = await startArm(lab);
  mkdirSync(homeIn(lab));
  return { lab, arm, agent: await standardAgent(lab) };
}

/** It ends with the lab, in whose namespace it runs. */
async function startArm({ id, folder }: Lab): Promise<Question['arm']> {
  const caFile = join(folder, 'arm-ca.crt');
  const program = join(import.meta.dirname, 'arm.ts');
  const arm = startProcess({
    namespace: azureOf(id),
    command: [process.execPath, program, addresses.azure, '443', caFile],
    log: join(folder, 'arm.log'),
  });
  await ready('arm', arm);
  return { origin: `https://${addresses.azure}`, caFile };
}

/** Of the clients, since they make folders there; it goes with the lab. */
function homeIn({ folder }: Lab): string {
  return join(folder, 'home');
}

/** MIC has come this far with the pod's identity. */
export async function reach({ lab }: Stage, { pod }: Seat, state: AssignmentState): Promise<void> {
  await assign(lab, { name: pod }, { ...pair(pod), state });
}

/** Lets the client ask once. Rejects when it prints a token of another identity or for another resource. */
export async function ask(stage: Stage, { client, pod }: Seat): Promise<Run> {
  const { clientId, resourceId } = sampleIdentity(pod);
  const question = { resource, clientId, resourceId, arm: stage.arm };
  const command = ['env', `HOME=${homeIn(stage.lab)}`, ...client.command(question)];
  const { code, stdout, stderr } = await stage.lab.exec(pod, command, { timeoutMs: patienceMs });
  if (code !== 0) return { said: stderr.trim() };
  const { appid, aud, jti, exp } = claimsOf(stdout);
  if (appid !== clientId || aud !== resource)
    throw new Error(`${client.name} in ${pod} has a token of ${appid} for ${aud}`);
  return { token: { jti: String(jti), expiresOn: Number(exp) }, said: stderr.trim() };
}

/** The statuses with which the agent has answered the pod so far, in their order. */
export function answersTo({ lab, agent }: Stage, { pod }: Seat): number[] {
  const ip = readState(lab.id)?.pods.find(({ name }) => name === pod)?.ip;
  const own = agent.logs().filter(({ msg, address }) => msg === 'request' && address === ip);
  return own.map(({ status }) => Number(status));
}

/** The same once the pod's client has ended. A later answer of the agent tells that all before are in its log. */
export async function finalAnswersTo(stage: Stage, seat: Seat): Promise<number[]> {
  await stage.agent.probed('/healthz');
  return answersTo(stage, seat);
}
