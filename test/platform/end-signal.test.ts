import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';

const module = join(import.meta.dirname, '../../lib/platform/end-signal.ts');
const program = `
  import { endSignal } from ${JSON.stringify(module)};
  const log = { info: ({ signal }, message) => console.log(message, signal) };
  const ending = endSignal(log, (why) => { console.log('cut:', why); process.exit(7); });
  ending.addEventListener('abort', () => console.log('aborted'));
  setInterval(() => undefined, 1_000);
  console.log('ready');`;

for (const [first, second] of [
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
] as const) {
  t.test(`${first} tells the program to end, ${second} behind it ends it at once`, async (t) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const said: string[] = [];
    for await (const [line] of on(createInterface(child.stdout), 'line', { close: ['close'] })) {
      said.push(line as string);
      if (line === 'ready') child.kill(first);
      if (line === 'aborted') child.kill(second);
    }
    t.same(said, ['ready', `told to end ${first}`, 'aborted', `cut: a second ${second}`]);
    t.same(await ended, [7, null]);
  });
}
