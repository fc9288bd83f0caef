import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aligned } from '../aligned.ts';
import { podsLab, startReady } from './contender.ts';
import { load, tokenPath } from './load.ts';
import { type Cost, type Costs, costsIn, profileOptions } from './profile.ts';

const given = { path: tokenPath(), connections: 64 };
const pods = 110;
const shown = 30;

/** What the agent does with its time while 110 pods ask for cached tokens. */
export async function benchProfile(program: string, seconds: number): Promise<Costs> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-profile-'));
  try {
    const place = await podsLab(pods);
    const agent = await startReady(place.lab, { program, env: { NODE_OPTIONS: profileOptions(folder) } });
    await load({ name: 'agent', ...place, pid: agent.pid }, { ...given, seconds });
    await agent.stop();
    place.lab.down();
    return costsIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function profileReport({ files, functions }: Costs): string {
  const table = (head: string, costs: readonly Cost[]): string =>
    aligned([['%', head], ...costs.slice(0, shown).map(({ what, percent }) => [percent.toFixed(1), what])]);
  return `${table('file', files)}\n\n${table('function', functions)}`;
}
