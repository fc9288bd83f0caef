import { type Rule, tell } from './rule.ts';

/** The one file of lib through which each side effect goes. */
export const doors = { exec: 'lib/platform/exec.ts', clock: 'lib/platform/clock.ts' } as const;

const timers =
  /^(setTimeout|setInterval|setImmediate|Date|performance|AbortSignal\.timeout|process\.hrtime)(\.|$)/;
const timerModules = /^(node:)?(timers|timers\/promises|perf_hooks)$/;
const execModules = /^(node:)?(child_process|cluster)$/;
/** `process` alone: under another name it would hide the rest. */
const surroundings = /^process(\.(env|exit|exitCode|abort)\b.*)?$/;

const product = (path: string): boolean => /^(lib|bin)\//.test(path);

export const programs: Rule = {
  promise: 'programs are run by platform/exec alone',
  reason: 'one audited door to root: no shell, a deadline, and a fake for tests',
  breaches: (file) =>
    product(file.path) && file.path !== doors.exec
      ? file.imports
          .filter(({ name }) => execModules.test(name))
          .map((mention) => tell(file, 'imports', mention))
      : [],
  broken: [
    ['lib/redirect/a.ts', "import { execFile } from 'node:child_process';"],
    ['lib/redirect/a.ts', "import type { ChildProcess } from 'child_process';"],
    ['lib/redirect/a.ts', "const { spawn } = require('child_process');"],
    ['bin/a.ts', "const { spawn } = await import('node:child_process');"],
  ],
  sound: [
    [doors.exec, "import { execFile } from 'node:child_process';"],
    ['test/a.ts', "import { spawn } from 'node:child_process';"],
  ],
};

export const time: Rule = {
  promise: 'timers and the hour come from platform/clock alone',
  reason: 'with a Clock handed in, a test moves time; with any other, it sleeps',
  breaches: (file) =>
    product(file.path) && file.path !== doors.clock
      ? [
          ...file.imports
            .filter(({ name }) => timerModules.test(name))
            .map((mention) => tell(file, 'imports', mention)),
          ...file.uses.filter(({ name }) => timers.test(name)).map((mention) => tell(file, 'uses', mention)),
        ]
      : [],
  broken: [
    ['lib/kube/a.ts', 'setTimeout(() => undefined, 1);'],
    ['lib/kube/a.ts', 'const later = { setTimeout };'],
    ['lib/kube/a.ts', 'globalThis.setInterval(run, 1);'],
    ['lib/kube/a.ts', 'await new Promise(setImmediate);'],
    ['lib/kube/a.ts', 'const now = Date.now();'],
    ['lib/kube/a.ts', 'const now = new Date().getTime();'],
    ['lib/kube/a.ts', 'const { now } = performance;'],
    ['lib/kube/a.ts', 'fetch(url, { signal: AbortSignal.timeout(1000) });'],
    ['lib/kube/a.ts', "import { setTimeout as sleep } from 'node:timers/promises';"],
    ['bin/a.ts', 'setTimeout(() => process.exit(1), 1);'],
  ],
  sound: [
    [doors.clock, 'setTimeout(run, ms);'],
    ['lib/kube/a.ts', 'socket.setTimeout(1000); // new Date(), setTimeout()'],
    [
      'lib/kube/a.ts',
      'let since: Date; let wait: typeof setTimeout; const mine = { setTimeout: 1 }; mine.setTimeout;',
    ],
    ['test/a.ts', 'setTimeout(run, ms);'],
  ],
};

export const environment: Rule = {
  promise: 'the environment is read, and the process ended, in bin alone',
  reason:
    'anything else is configuration that no flag table shows, and an end that drains and withdraws nothing',
  breaches: (file) =>
    file.path.startsWith('lib/')
      ? [
          ...file.imports
            .filter(({ name }) => /^(node:)?process$/.test(name))
            .map((mention) => tell(file, 'imports', mention)),
          ...file.uses
            .filter(({ name }) => surroundings.test(name))
            .map((mention) => tell(file, 'uses', mention)),
        ]
      : [],
  broken: [
    ['lib/kube/a.ts', 'const path = process.env.KUBECONFIG;'],
    ['lib/kube/a.ts', "const path = process['env'].KUBECONFIG;"],
    ['lib/kube/a.ts', 'const { env } = process;'],
    ['lib/kube/a.ts', "import { env } from 'node:process';"],
    ['lib/nmi.ts', 'process.exit(1);'],
    ['lib/nmi.ts', 'process.exitCode = 1;'],
  ],
  sound: [
    ['bin/a.ts', 'process.exit(await main(process.env));'],
    ['lib/kube/a.ts', 'const { process } = options; const id = process.pid;'],
  ],
};

export const output: Rule = {
  promise: 'lib writes to the log alone',
  reason: 'a line that the logger has not made is neither one record nor free of control characters',
  breaches: (file) =>
    file.path.startsWith('lib/')
      ? file.uses
          .filter(({ name }) => /^(console|process\.(stdout|stderr))\b/.test(name))
          .map((mention) => tell(file, 'uses', mention))
      : [],
  broken: [
    ['lib/kube/a.ts', "console.log('here');"],
    ['lib/kube/a.ts', 'process.stdout.write(text);'],
  ],
  sound: [
    ['lib/kube/a.ts', "log.info({}, 'console.log');"],
    ['bin/a.ts', 'process.stdout.write(text);'],
  ],
};

const mostLines = 250;

export const size: Rule = {
  promise: `no file has more than ${mostLines} lines`,
  reason: 'a file that does not fit in the head holds more than one thing',
  breaches: ({ path, lines }) => (lines > mostLines ? [`${path} has ${lines} lines`] : []),
  broken: [['lib/kube/a.ts', 'x;\n'.repeat(mostLines + 1)]],
  sound: [['lib/kube/a.ts', 'x;\n'.repeat(mostLines)]],
};
