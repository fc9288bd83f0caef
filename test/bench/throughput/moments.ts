import { addresses } from '../../lab/addresses.ts';
import type { Agent } from '../../lab/agent.ts';
import { eventually } from '../../lab/eventually.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import type { Lab } from '../../lab/lab.ts';
import { pair } from '../../lab/nmi/standard-scene.ts';
import { assignedObject } from '../../lab/objects.ts';
import { type Candidate, podsLab, startReady } from './contender.ts';
import { firstAnswers } from './first.ts';
import { tokenPath } from './load.ts';

/** ms, each as often as it was measured, the least first. */
export interface Moments {
  /** From the start of the process until `/readyz` answers 200, and until a pod has a token. */
  readonly ready: readonly number[];
  readonly firstToken: readonly number[];
  /** From the write to the Kubernetes API to the answer of the request that waited for it. */
  readonly assigned: readonly number[];
}

const probePort = 8085;
const everyMs = 5;
const waiting = 10;

export async function benchMoments(candidate: Candidate, pods: number, starts: number): Promise<Moments> {
  const { lab, addresses: sources } = await podsLab(pods);
  // Before the rules stand a pod reaches IMDS itself, which then refuses: no identity is named. The agent names it.
  await lab.imds.configure({ systemAssigned: null });
  const [ready, firstToken]: [number[], number[]] = [[], []];
  for (let i = 0; i < starts; i++) {
    const start = await measureStart(candidate, lab);
    ready.push(start.ready);
    firstToken.push(start.firstToken);
  }
  const assigned = await measureAssigned(candidate, lab, sources.slice(1, waiting + 1));
  lab.down();
  const sorted = (times: readonly number[]): readonly number[] => times.toSorted((a, b) => a - b);
  return { ready: sorted(ready), firstToken: sorted(firstToken), assigned: sorted(assigned) };
}

async function measureStart(
  { program = '', env = {} }: Candidate,
  lab: Lab,
): Promise<{ readonly ready: number; readonly firstToken: number }> {
  await lab.imds.clear();
  const answers = Promise.all([
    firstAnswers((...given) => lab.exec('demo', ...given), {
      ...{ host: addresses.imds, port: 80, path: tokenPath(), addresses: [], everyMs },
    }),
    firstAnswers(lab.onNode, {
      ...{ host: '127.0.0.1', port: probePort, path: '/readyz', addresses: [], everyMs },
    }),
  ]);
  await eventually('the pod asks', async () => (await lab.imds.log()).requests.length > 5);
  const began = performance.timeOrigin + performance.now();
  const agent = lab.startAgent({ program, env, flags: { 'on-shutdown': 'withdraw' } });
  const [[token = Number.NaN], [ready = Number.NaN]] = await answers;
  await agent.stop();
  return { ready: ready - began, firstToken: token - began };
}

/** Pods that wait for MIC, released one by one. */
async function measureAssigned(
  { program = '', env = {} }: Candidate,
  lab: Lab,
  sources: readonly string[],
): Promise<readonly number[]> {
  const identities = sources.map((_, at) => pair(`late${at}`));
  for (const [at, { binding }] of identities.entries()) {
    await lab.imds.assign(sampleIdentity(`late${at}`));
    await lab.kube.patch('Pod', `pod${at + 1}`, { metadata: { labels: { aadpodidbinding: `late${at}` } } });
    await lab.kube.apply(binding);
  }
  const flags = { 'operation-mode': 'standard', 'identity-hold': 60 };
  const agent = await startReady(lab, { program, env, flags });
  const path = tokenPath();
  const answers = firstAnswers((...given) => lab.exec('demo', ...given), {
    ...{ host: addresses.imds, port: 80, path, addresses: sources },
  });
  await eventually('all wait', async () => (await waitingAt(lab, agent)) === sources.length);
  const written: number[] = [];
  for (const [at, { identity, binding }] of identities.entries()) {
    const assignment = { identity, binding, state: '' } as const;
    written.push(performance.timeOrigin + performance.now());
    await lab.kube.create(assignedObject({ name: `pod${at + 1}`, namespace: 'default' }, assignment));
  }
  const answered = await answers;
  await agent.stop();
  return answered.map((at, i) => at - (written[i] ?? 0));
}

async function waitingAt(lab: Lab, agent: Agent): Promise<number> {
  const { stdout } = await lab.onNode(['curl', '-s', agent.metrics]);
  return Number(/^podidentity_waiting_requests (\d+)$/m.exec(stdout)?.[1]);
}
