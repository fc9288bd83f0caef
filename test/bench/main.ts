/** What `scripts/bench` does. Exit status 0 when every figure holds its target, 1 when one does not, 2 for a wrong flag. */
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { unavailable } from '../lab/namespaces.ts';
import { benchRedirect, targets } from './redirect/measure.ts';
import { report } from './redirect/report.ts';

const options = {
  redirect: { type: 'boolean' },
  json: { type: 'boolean', default: false },
  runs: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '30' },
} as const;
const usage = 'usage: bench --redirect [--json] [--runs=N] [--seconds=N]';

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  const [runs, idleSeconds] = [Number(values.runs), Number(values.seconds)];
  if (!values.redirect || !(runs >= 1) || !(idleSeconds >= 1)) return fail(usage);
  const reason = unavailable();
  if (reason) return fail(reason);
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}`;
  const date = new Date().toISOString();
  // Progress goes beside the result, so that --json can be piped.
  const tell = (what: string): void => console.error(`bench: ${what}`);
  const figures = await benchRedirect({ runs, idleSeconds, tell });
  const { text, missed } = report(figures);
  if (values.json)
    console.log(JSON.stringify({ date, machine, runs, idleSeconds, targets, figures, missed }));
  else console.log(`\n${machine}\n${date}; healed in: least, median and most of ${runs}\n\n${text}\n`);
  console.error(missed === 0 ? 'bench: every target is held' : `bench: ${missed} figures miss their target`);
  return missed === 0 ? 0 : 1;
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
