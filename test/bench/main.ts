/** What `scripts/bench` does. Exit status 0 when every figure holds its target, 1 when one does not, 2 for a wrong flag. */
import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { unavailable } from '../lab/namespaces.ts';
import { builtAgent } from './built.ts';
import { benchMemory, memoryReport } from './memory.ts';
import { benchMic, targets as micTargets } from './mic/measure.ts';
import { report as micReport } from './mic/report.ts';
import { benchRedirect, targets as redirectTargets } from './redirect/measure.ts';
import { report as redirectReport } from './redirect/report.ts';
import { launcher } from './throughput/contender.ts';
import { benchProfile, profileReport } from './throughput/profiling.ts';
import { report } from './throughput/report.ts';
import { benchSuite } from './throughput/suite.ts';
import { targets } from './throughput/targets.ts';

const options = {
  redirect: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  mic: { type: 'boolean', default: false },
  memory: { type: 'boolean', default: false },
  against: { type: 'string' },
  json: { type: 'boolean', default: false },
  runs: { type: 'string', default: '3' },
  seconds: { type: 'string' },
  requests: { type: 'string', default: '1000000' },
} as const;
const usage = [
  'usage: bench [--against=COMMAND] [--json] [--seconds=N] [--requests=N]',
  '       bench --profile [--json] [--seconds=N]',
  '       bench --redirect [--json] [--runs=N] [--seconds=N]',
  '       bench --mic [--json] [--runs=N]',
  '       bench --memory [--json] [--requests=N]',
].join('\n');

const modes = ['redirect', 'profile', 'mic', 'memory'] as const;
const usualSeconds: Readonly<Record<string, number>> = { redirect: 30, profile: 10, throughput: 1.5 };

/** What was measured: as text, and for --json. */
interface Outcome {
  readonly text: string;
  readonly missed: number;
  readonly json: object;
}

// Progress goes beside the result, so that --json can be piped.
const tell = (what: string): void => console.error(`bench: ${what}`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  const mode = modes.find((name) => values[name]) ?? 'throughput';
  const seconds = Number(values.seconds ?? usualSeconds[mode] ?? 1);
  const [runs, requests] = [Number(values.runs), Number(values.requests)];
  if (!(runs >= 1) || !(seconds >= 1) || !(requests >= 10)) return fail(usage);
  // MIC is measured without a network.
  const reason = mode === 'mic' ? undefined : unavailable();
  if (reason) return fail(reason);
  const [load = 0] = loadavg();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
  const date = new Date().toISOString();
  const { text, missed, json } = await {
    redirect: () => redirect(runs, seconds),
    profile: () => profile(seconds),
    mic: () => mic(runs),
    memory: () => memory(requests),
    throughput: () => throughput(values.against, seconds, requests),
  }[mode]();
  if (values.json) console.log(JSON.stringify({ date, machine, load, ...json, missed }));
  else console.log(`\n${machine}, load ${load.toFixed(1)} before\n${date}\n\n${text}\n`);
  console.error(missed === 0 ? 'bench: every target is held' : `bench: ${missed} figures miss their target`);
  return missed === 0 ? 0 : 1;
}

async function redirect(runs: number, idleSeconds: number): Promise<Outcome> {
  const figures = await benchRedirect({ runs, idleSeconds, tell });
  const { text, missed } = redirectReport(figures);
  const title = `healed in: least, median and most of ${runs}`;
  return {
    text: `${title}\n\n${text}`,
    missed,
    json: { runs, idleSeconds, targets: redirectTargets, figures },
  };
}

async function throughput(against: string | undefined, seconds: number, requests: number): Promise<Outcome> {
  const { program, version, folder, remove } = await builtAgent();
  try {
    const command = against === undefined ? undefined : launcher(against, folder);
    const figures = await benchSuite({ program, against: command, seconds, requests, tell });
    const { text, missed } = report(figures);
    return { text: `${version}\n\n${text}`, missed, json: { version, seconds, targets, ...figures } };
  } finally {
    remove();
  }
}

async function profile(seconds: number): Promise<Outcome> {
  const { program, version, remove } = await builtAgent();
  try {
    const costs = await benchProfile(program, seconds);
    return { text: `${version}\n\n${profileReport(costs)}`, missed: 0, json: { version, seconds, ...costs } };
  } finally {
    remove();
  }
}

async function mic(runs: number): Promise<Outcome> {
  const figures = await benchMic({ runs, tell });
  const { text, missed } = micReport(figures);
  return {
    text: `each plan made ${runs} times\n\n${text}`,
    missed,
    json: { runs, targets: micTargets, ...figures },
  };
}

async function memory(requests: number): Promise<Outcome> {
  const { program, version, remove } = await builtAgent();
  try {
    const kept = await benchMemory(program, requests, tell);
    const { text, missed } = memoryReport(kept);
    return { text: `${version}\n\n${text}`, missed, json: { version, ...kept } };
  } finally {
    remove();
  }
}

function fail(message: string): number {
  console.error(`bench: ${message}`);
  return 2;
}

try {
  process.exit(await main());
} catch (error) {
  process.exit(fail((error as Error).message));
}
