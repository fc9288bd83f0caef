import { constants, homedir } from 'node:os';
import { runPodid } from '../lib/cli/podid.ts';
import type { Stream } from '../lib/cli/world.ts';
import { systemClock } from '../lib/platform/clock.ts';

const end = new AbortController();
/** 128 and the number of the signal, as shells count; undefined until one comes. */
let interrupted: number | undefined;

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    interrupted = 128 + constants.signals[name];
    if (end.signal.aborted) process.exit(interrupted);
    end.abort();
  });
}

function streamOf(stream: NodeJS.WriteStream): Stream {
  // `podid list | head`: whoever reads has enough.
  stream.on('error', () => end.abort());
  return { write: (text) => void stream.write(text), isTerminal: stream.isTTY === true };
}

const status = await runPodid(process.argv.slice(2), {
  env: process.env,
  home: homedir(),
  stdout: streamOf(process.stdout),
  stderr: streamOf(process.stderr),
  clock: systemClock,
  signal: end.signal,
});
// Not process.exit: what is written to a pipe goes out first.
process.exitCode = status === 0 ? status : (interrupted ?? status);
