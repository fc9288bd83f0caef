import { join } from 'node:path';
import type { ExecResult } from '../../lib/platform/exec.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { addresses } from '../lab/addresses.ts';
import type { AgentOptions } from '../lab/agent.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import { createLab, execIn, type Lab } from '../lab/lab.ts';
import { nodeOf, podOf } from '../lab/network.ts';
import { ourRules } from '../lab/nmi/scene.ts';
import { bindingObject, exceptionObject, identityObject } from '../lab/objects.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { type Damage, damage } from '../netns/damage.ts';
import type { Tally } from './knock.ts';
import { forgetLeaks, leaksOf, watchLeaks } from './leaks.ts';

/** Who asks for tokens all the time: a bound pod and an excepted one, both by way of the agent, and a process of the node. */
export const knockers = ['demo', 'excepted', 'on-node'] as const;
export type Knocker = (typeof knockers)[number];

/** A lab whose node suffers damage while everybody on it asks for tokens; without an agent at first. */
export interface Stage {
  readonly lab: Lab;
  readonly backend: BackendName;
  /** For every agent of this lab: its backend, and its own xtables lock, since the machine's is for everybody. */
  readonly agent: AgentOptions;
  hurt(one: Damage): Promise<void>;
  /** The node's rules of ours, in both backends, and the first that a packet meets in each of our hooks. */
  rules(): Promise<string>;
  /** Starts asking; call it once an agent is ready, as what comes before may reach IMDS. */
  knock(): Promise<void>;
  /** What came of it so far. */
  tallyOf(who: Knocker): Tally;
  /** One more request of a pod, on a new connection; its status, 0 for no answer. */
  askOnce(pod: 'demo' | 'excepted', patienceSeconds: number): Promise<number>;
  /** What pods have got through to IMDS since `forget`, one line each. */
  leaks(): Promise<readonly string[]>;
  /** What came so far counts for nothing. */
  forget(): Promise<void>;
  /** IMDS's own process, which holds the log, and everything else goes. */
  down(): void;
}

export interface StageOptions {
  readonly backend: BackendName;
  readonly guard: 'mangle' | 'both';
  /** Set for the agents beside the xtables lock. */
  readonly env?: (lab: Lab) => Readonly<Record<string, string>>;
}

const demo = sampleIdentity('demo');
const path = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net';
const url = `http://${addresses.imds}${path}&client_id=${demo.clientId}`;
/** New connections a second, and kept ones. The agent passes on 20 calls a second at most. */
const rates: Readonly<Record<Knocker, readonly [number, number]>> = {
  demo: [20, 3],
  excepted: [2, 1],
  'on-node': [2, 1],
};

export async function setStage({ backend, guard, env = () => ({}) }: StageOptions): Promise<Stage> {
  const lab = await createLab({
    pods: [
      { name: 'demo', labels: { aadpodidbinding: 'demo' } },
      { name: 'excepted', labels: { app: 'excepted' } },
    ],
  });
  await lab.imds.assign(demo);
  await lab.kube.apply(identityObject('demo', 'default', demo));
  await lab.kube.apply(bindingObject('demo', 'default', 'demo', 'demo'));
  await lab.kube.apply(exceptionObject('excepted', 'default', { app: 'excepted' }));
  await watchLeaks(lab);
  const lock = { XTABLES_LOCKFILE: join(lab.folder, 'xtables.lock') };
  const onNode = (file: string, args: readonly string[], options: object): Promise<ExecResult> =>
    execIn(nodeOf(lab.id), [`XTABLES_LOCKFILE=${lock.XTABLES_LOCKFILE}`, file, ...args], options);
  const outputs = new Map<Knocker, () => string>();
  return {
    ...{ lab, backend },
    agent: { backend, flags: { guard }, env: { ...lock, ...env(lab) } },
    hurt: (one) => damage(onNode, one, backend),
    rules: () => rulesOf(lab, backend),
    knock: async () => {
      for (const who of knockers) outputs.set(who, await startKnocking(lab, who));
    },
    tallyOf: (who) => lastTally(outputs.get(who)?.() ?? ''),
    askOnce: (pod, patienceSeconds) => askOnce(lab, pod, patienceSeconds),
    leaks: () => leaksOf(lab),
    forget: () => forgetLeaks(lab),
    down: () => lab.down(),
  };
}

async function startKnocking(lab: Lab, who: Knocker): Promise<() => string> {
  const namespace = who === 'on-node' ? nodeOf(lab.id) : podOf(lab.id, who);
  const program = join(import.meta.dirname, 'knock.ts');
  const args = [url, who, ...rates[who].map(String)];
  const log = join(lab.folder, `knock-${who}.log`);
  const started = startProcess({ namespace, command: [process.execPath, program, ...args], log });
  await ready(who, started);
  return started.output;
}

async function rulesOf(lab: Lab, backend: BackendName): Promise<string> {
  const first = ['nat PREROUTING', 'mangle FORWARD', 'mangle INPUT'].map(async (hook) => {
    const [table = '', chain = ''] = hook.split(' ');
    const { stdout } = await lab.onNode([`iptables-${backend}`, '-w', '5', '-t', table, '-S', chain, '1']);
    return `first in ${hook}: ${stdout.trim()}`;
  });
  return [...(await ourRules(lab)), ...(await Promise.all(first))].join('\n');
}

/** The last line that is whole. */
function lastTally(output: string): Tally {
  const [last] = output
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .slice(-1);
  return last ? (JSON.parse(last) as Tally) : { answered: {}, waited: 0, failed: {}, gaveUp: 0, settled: 0 };
}

async function askOnce(lab: Lab, pod: string, patienceSeconds: number): Promise<number> {
  const quiet = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-A', pod, '-H', 'Metadata: true'];
  const command = ['curl', ...quiet, '--max-time', `${patienceSeconds}`, url];
  const { stdout } = await lab.exec(pod, command, { timeoutMs: (patienceSeconds + 5) * 1000 });
  return Number(stdout);
}
