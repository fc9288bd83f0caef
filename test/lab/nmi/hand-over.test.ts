import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addresses } from '../addresses.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, askers, ourRules, scene, tokenUrl } from './scene.ts';

/** Two agents on one node: one owner at any time, and no request that falls between them. */
const skip = unavailable() ?? false;

const beside = { 'http-probe-port': 8086, 'prometheus-port': 9091 };
const says = (agent: Agent, what: string): Promise<unknown> =>
  eventually(what, () => agent.logs().find(({ msg }) => String(msg).includes(what)));
/** How often an agent wrote rules. */
const writes = (...agents: readonly Agent[]): number =>
  agents.flatMap((agent) => agent.logs()).filter(({ msg }) => /^iptables rules /.test(String(msg))).length;
const leadsTo = async (lab: Lab): Promise<string> =>
  (await ourRules(lab)).map((line) => /--to-destination \S+:(\d+)/.exec(line)?.[1] ?? '').join('');

async function pair(t: Test) {
  const { lab, agent } = await scene(t);
  await agent.ready();
  return { lab, first: agent, startSecond: () => lab.startAgent({ flags: beside }) };
}

/** Asks with a new connection for each request; resolves with how often each status came. */
async function load(lab: Lab, count: number): Promise<Record<string, number>> {
  const command = [process.execPath, join(import.meta.dirname, 'crowd.ts'), tokenUrl, String(count), '8'];
  const { stdout, stderr } = await lab.exec('demo', command, { timeoutMs: 120_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, number>;
}

t.test(
  'under load with a new connection for each request, no request is lost or passes by',
  { skip },
  async (t) => {
    const { lab, first, startSecond } = await pair(t);
    const loaded = load(lab, 10_000);
    const second = startSecond();
    await says(second, 'serving pods');
    await says(first, 'standing by');
    t.equal(await first.stop(), 0);
    t.same(await loaded, { 200: 10_000 });
    t.same(await askers(lab), [addresses.node], 'IMDS saw the agents alone');
    t.equal(await leadsTo(lab), '2580');
    t.equal(await second.stop(), 0);
    t.same(await ourRules(lab), [], 'the last one leaves nothing');
  },
);

t.test(
  'both go on running: one owner, at most three writes, and the other says why it is not ready',
  { skip },
  async (t) => {
    const { lab, first, startSecond } = await pair(t);
    const before = writes(first);
    const second = startSecond();
    await second.ready();
    await says(first, 'standing by');
    t.match(await first.probed('/readyz'), {
      status: 503,
      body: 'another agent serves the pods of this node\n',
    });
    t.same(await load(lab, 1_000), { 200: 1_000 });
    t.ok(writes(first, second) - before <= 3, `${writes(first, second) - before} writes`);
    t.equal(await first.stop(), 0);
    t.equal((await ask(lab, 'demo')).status, 200, 'the one that lost has withdrawn nothing');
  },
);

t.test('a successor that is killed before it serves changes nothing', { skip }, async (t) => {
  const { lab, first, startSecond } = await pair(t);
  await lab.kube.fault({ away: true });
  const second = startSecond();
  await says(second, 'starting');
  await second.stop('SIGKILL');
  await lab.kube.fault({ away: false });
  t.same(await load(lab, 200), { 200: 200 });
  t.equal(await leadsTo(lab), '2579');
  t.match(await first.probed('/readyz'), { status: 200 });
});

t.test(
  'a successor that is killed after it took over: the predecessor takes the redirect back',
  { skip },
  async (t) => {
    const { lab, first, startSecond } = await pair(t);
    const second = startSecond();
    await second.ready();
    await says(first, 'standing by');
    await second.stop('SIGKILL');
    await eventually('the first serves again', async () => (await first.probed('/readyz')).status === 200);
    t.equal((await ask(lab, 'demo')).status, 200);
    t.same(await askers(lab), [addresses.node]);
  },
);

t.test(
  'a predecessor that is killed half-way: the successor takes over, synced or not',
  { skip },
  async (t) => {
    const { lab, first, startSecond } = await pair(t);
    await lab.kube.fault({ away: true });
    const second = startSecond();
    await says(second, 'starting');
    await first.stop('SIGKILL');
    await says(second, 'serving pods');
    const waiting = ask(lab, 'demo');
    await lab.kube.fault({ away: false });
    t.equal((await waiting).status, 200);
    t.same(await askers(lab), [addresses.node]);
  },
);
