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

/** What could not be written was not told, whatever the verb came to. */
let unwritten = false;

function streamOf(stream: NodeJS.WriteStream): Stream {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    end.abort();
    // `podid list | head`: whoever reads has enough.
    if (error.code === 'EPIPE' || unwritten) return;
    unwritten = true;
    process.exitCode = 1;
    if (stream === process.stdout) process.stderr.write(`podid: cannot write: ${error.message}\n`);
  });
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true && process.env.TERM !== 'dumb',
    get columns() {
      return stream.columns;
    },
  };
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
process.exitCode = unwritten ? 1 : status === 0 ? status : (interrupted ?? status);
