import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ExecResult } from '../../lib/platform/exec.ts';
import { podAddress } from '../lab/addresses.ts';
import type { Agent } from '../lab/agent.ts';
import { eventually } from '../lab/eventually.ts';
import type { Lab } from '../lab/lab.ts';
import { ask, askers, ourRules, scene } from '../lab/nmi/scene.ts';
import { both, program } from './cleanup-scene.ts';
import { skip } from './namespaces.ts';

/** What each violent end of the real agent leaves, and that nothing of it is left afterwards. */

const clean = (lab: Lab, ...args: string[]): Promise<ExecResult> => lab.onNode([program, ...args]);

/** Something is there, goes, and then a pod reaches the metadata service itself. */
async function isCleaned(t: Test, lab: Lab): Promise<void> {
  t.equal((await clean(lab, '--verify')).code, 3);
  t.match(await clean(lab), { code: 0, stderr: '' });
  t.same(await ourRules(lab), []);
  t.match(await clean(lab, '--verify'), { code: 0, stdout: 'nothing of ours found\n' });
  await lab.imds.clear();
  await ask(lab, 'demo');
  t.same(await askers(lab), [podAddress(10)], 'the pod itself came to IMDS');
}

for (const backend of both) {
  t.test(`after SIGKILL, and after a crash loop (${backend})`, { skip }, async (t) => {
    const flags = { 'pin-neighbours': true, guard: 'both' };
    const { lab, agent } = await scene(t, { backend, flags });
    await agent.ready();
    const verify = (): Promise<ExecResult> => clean(lab, '--verify');
    await eventually('the pods are pinned', async () => /pinned neighbours: 2/.test((await verify()).stdout));
    await agent.stop('SIGKILL');
    t.match((await verify()).stdout, 'ip: found routing rules of --guard=both: 3\n');
    await isCleaned(t, lab);

    // Killed as soon as something stands: the guard alone, or more.
    for (const next of both) await killAtFirstRule(lab, lab.startAgent({ backend: next, flags }));
    await isCleaned(t, lab);
  });
}

async function killAtFirstRule(lab: Lab, agent: Agent): Promise<void> {
  const before = (await ourRules(lab)).length;
  await eventually('it has put in a rule, or is ready', async () => {
    return (await ourRules(lab)).length > before || (await agent.probed('/readyz')).status === 200;
  });
  await agent.stop('SIGKILL');
}

interface MemoryGroups {
  readonly root: string;
  readonly limit: string;
}

/** Where cgroups of either version limit memory on this machine. */
function memoryGroups(): MemoryGroups | undefined {
  const [first, second] = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'];
  if (existsSync(`${first}/cgroup.procs`)) return { root: first, limit: 'memory.limit_in_bytes' };
  const enabled = `${second}/cgroup.subtree_control`;
  if (existsSync(enabled) && /\bmemory\b/.test(readFileSync(enabled, 'utf8')))
    return { root: second, limit: 'memory.max' };
  return undefined;
}

const groups = memoryGroups();
const noGroups = skip || (!groups && 'no cgroup here limits memory');

t.test('after the kernel has killed it for want of memory', { skip: noGroups }, async (t) => {
  const { lab, agent } = await scene(t);
  await agent.ready();
  if (groups) starve(t, agent.pid, groups);
  await eventually('it is killed', async () => {
    if (agent.ended() === undefined) await ask(lab, 'plain');
    return agent.ended() !== undefined;
  });
  t.equal(agent.ended(), 'SIGKILL');
  await isCleaned(t, lab);
});

t.test('after a restart of the machine that put saved rules back', { skip }, async (t) => {
  const { lab, agent } = await scene(t, { backend: 'nft' });
  await agent.ready();
  const saved = await lab.iptablesSave('nft');
  await agent.stop('SIGKILL');
  // A restart leaves nothing by itself; a distribution's boot script may restore, also into the other backend.
  await clean(lab);
  for (const backend of both) {
    const args = [`iptables-${backend}-restore`, '--counters'];
    t.match(await lab.onNode(args, { stdin: saved }), { code: 0 });
  }
  await isCleaned(t, lab);
});

/** Moves the process into a cgroup in which the next memory that it asks for is too much. */
function starve(t: Test, pid: number, { root, limit }: MemoryGroups): void {
  const group = join(root, `pod-identity-${process.pid}`);
  mkdirSync(group);
  t.teardown(() => rmdirSync(group));
  writeFileSync(join(group, limit), '1000000');
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
}
