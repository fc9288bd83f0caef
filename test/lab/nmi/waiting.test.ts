import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, tokenUrl } from './scene.ts';
import { assign, metric, pair, standardAgent, standardLab } from './standard-scene.ts';

/** Many requests at once that wait for an identity. */
const skip = unavailable() ?? false;
const pods = Array.from({ length: 5 }, (_, at) => ({ name: `p${at}`, labels: { aadpodidbinding: 'app' } }));
const each = 100;

async function crowd(lab: Lab, pod: string): Promise<unknown> {
  const command = [process.execPath, join(import.meta.dirname, 'crowd.ts'), tokenUrl, `${each}`];
  const { stdout, stderr } = await lab.exec(pod, command, { timeoutMs: 60_000 });
  return stdout === '' ? stderr : (JSON.parse(stdout) as unknown);
}

/** CPU time that a process has taken so far, in clock ticks of 10 ms. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, user = '0', system = '0'] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(stat) ?? [];
  return Number(user) + Number(system);
}

t.test('500 requests that wait are answered together, and cost nothing until then', { skip }, async (t) => {
  const lab = await standardLab(t, pods, ['app']);
  const { identity, binding } = pair('app');
  await lab.kube.apply(binding);
  const agent = await standardAgent(lab, { flags: { 'identity-hold': 120, 'ipt-update-interval-sec': 60 } });
  const crowds = pods.map(({ name }) => crowd(lab, name));
  const waiting = (): Promise<number> => metric(lab, agent, 'podidentity_waiting_requests');
  await eventually('all of them wait', async () => (await waiting()) === pods.length * each);

  await lab.kube.clearRequests();
  const before = cpuTicks(agent.pid);
  for (const { name } of pods) await assign(lab, { name }, { identity, binding, state: 'Created' });
  t.equal(await waiting(), pods.length * each);
  const spent = cpuTicks(agent.pid) - before;
  t.ok(spent < 100, `the agent took ${spent * 10} ms of CPU meanwhile`);
  const asked = (await lab.kube.requests()).filter(({ door }) => door === 'tls');
  t.same(asked, [], 'the Kubernetes API was asked nothing');

  for (const { name } of pods) await assign(lab, { name }, { identity, binding, state: 'Assigned' });
  t.same(await Promise.all(crowds), Array(pods.length).fill({ 200: each }));
  await eventually('nobody waits', async () => (await waiting()) === 0);
  t.equal((await lab.imds.log()).requests.length, 1, 'and IMDS was asked once');
});

t.test('one whose client leaves is forgotten; one that SIGTERM finds is answered', { skip }, async (t) => {
  const lab = await standardLab(t, [{ name: 'app' }], ['app']);
  const agent = await standardAgent(lab);
  const waiting = (): Promise<number> => metric(lab, agent, 'podidentity_waiting_requests');
  const asked = lab.exec('app', ['curl', '-s', '--max-time', '2', '-H', 'Metadata: true', tokenUrl]);
  await eventually('it waits', async () => (await waiting()) === 1);
  await asked;
  await eventually('it is forgotten', async () => (await waiting()) === 0);
  const line = await eventually('a line tells', () => agent.logs().find(({ msg }) => msg === 'request'));
  t.match(line, { status: 0, code: 'binding-missing' });

  const left = ask(lab, 'app');
  await eventually('another waits', async () => (await waiting()) === 1);
  t.equal(await agent.stop('SIGTERM'), 0);
  t.match(await left, { status: 404, body: { error: 'not_found' } });
});
