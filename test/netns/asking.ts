import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { inside } from '../lab/namespaces.ts';
import type { Place } from './plugs.ts';

/** How a connection to each of the targets (`IP:PORT`) ends, all at once: the name of who answered, `refused` or `silence`. */
export type Ask = (from: Place, ...targets: readonly string[]) => Promise<string[]>;

/** Long enough for an answer on a busy machine, short enough for a SYN that is dropped. */
const patienceMs = '700';

/** One process for each place, until the test ends: to start one costs more than a hundred questions. */
export function askingIn(t: Test): Ask {
  const started = new Map<string, (targets: string) => Promise<string>>();
  return async ({ namespace }, ...targets) => {
    const ask = started.get(namespace) ?? start(t, namespace);
    started.set(namespace, ask);
    return JSON.parse(await ask(targets.join(' '))) as string[];
  };
}

function start(t: Test, namespace: string): (targets: string) => Promise<string> {
  const program = [process.execPath, join(import.meta.dirname, 'ask-all.ts'), patienceMs];
  // It ends with its stdin, and so with this process in any case.
  const child = spawn('nsenter', [...inside(namespace), ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async (targets) => {
    child.stdin.write(`${targets}\n`);
    const { done, value } = await answers.next();
    if (done) throw new Error(`what asks in ${namespace} has ended`);
    return value;
  };
}
