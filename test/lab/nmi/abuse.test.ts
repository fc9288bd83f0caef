import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addresses } from '../addresses.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask, scene, tokenUrl } from './scene.ts';

/** The agent whole, flooded by one pod through the kernel's real redirect. */
const skip = unavailable() ?? false;
const tokenPath = tokenUrl.slice(`http://${addresses.imds}`.length);
/** What a flood may cost, MB. */
const mostGrownMb = 120;

interface Flood {
  readonly statuses: Record<string, number>;
  readonly failures: Record<string, number>;
}

async function flood(lab: Lab, path: string, connections: number, seconds: number): Promise<Flood> {
  const program = join(import.meta.dirname, 'flood.ts');
  const command = [process.execPath, program, addresses.imds, path, String(connections), String(seconds)];
  const { stdout, stderr } = await lab.exec('plain', command);
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Flood;
}

function residentMb({ pid }: Agent): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}

t.test(
  'a pod that floods over 2,000 connections leaves other pods their service, and memory bounded',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    t.equal((await ask(lab, 'demo')).status, 200);
    const before = residentMb(agent);
    const flooding = flood(lab, tokenPath, 2_000, 4);
    await eventually('the flood is felt', () => agent.output().includes('"too-many-'));
    const others: number[] = [];
    for (let i = 0; i < 5; i++) others.push((await ask(lab, 'demo', tokenUrl, '--max-time', '5')).status);
    const during = residentMb(agent);
    const { statuses } = await flooding;
    t.same(others, [200, 200, 200, 200, 200]);
    t.same(
      Object.keys(statuses),
      ['400', '429'],
      'the pod itself is refused, for having no binding or asking too often',
    );
    t.ok(during - before < mostGrownMb, `it grew from ${before} to ${during} MB`);
    const lines = agent.logs().filter(({ code }) => String(code).startsWith('too-many-'));
    t.ok(lines.length < 30, `${lines.length} lines of ${statuses['429']} refusals`);
    const { stdout: metrics } = await lab.onNode(['curl', '-s', agent.metrics]);
    const counted = /podidentity_answers_total\{route="refused",code="too-many-requests"\} (\d+)/.exec(
      metrics,
    )?.[1];
    t.ok(Number(counted) > lines.length, `${counted} are counted`);
    t.equal(agent.ended(), undefined);
  },
);

t.test(
  'slow heads, slow bodies, huge heads and pipelining take nothing from other pods',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await agent.ready();
    const before = residentMb(agent);
    const program = join(import.meta.dirname, 'slow.ts');
    const abuse = lab.exec('plain', [process.execPath, program, addresses.imds], { timeoutMs: 60_000 });
    await eventually('it has begun', () => agent.output().includes('"code":"http-too-large"'));
    for (let i = 0; i < 5; i++) t.equal((await ask(lab, 'demo', tokenUrl, '--max-time', '5')).status, 200);
    const grown = residentMb(agent) - before;
    t.ok(grown < mostGrownMb, `it grew by ${grown} MB`);
    const { stdout, stderr } = await abuse;
    t.equal(stderr, '');
    const told = JSON.parse(stdout) as Record<string, Record<string, number>>;
    t.match(told, { 'slow head': { 408: 100 }, 'slow body': { 400: 100 } });
    t.same(Object.keys(told['huge head'] ?? {}), ['431']);
    t.ok(['404', '429'].some((status) => told.pipelined?.[status]));
    t.equal((await ask(lab, 'demo')).status, 200);
  },
);
