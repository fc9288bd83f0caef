import { join } from 'node:path';
import t from 'tap';
import { type ExecResult, systemExec } from '../../lib/platform/exec.ts';
import { unavailable } from './namespaces.ts';
import { namespacesOf } from './network.ts';
import { removeLab } from './state.ts';

const skip = unavailable() ?? false;
const id = `cli${process.pid % 100_000}`;
const cli = join(import.meta.dirname, 'cli.ts');

function lab(...args: readonly string[]): Promise<ExecResult> {
  return systemExec('env', [`LAB_ID=${id}`, process.execPath, cli, ...args], {
    timeoutMs: 60_000,
    stdin: 'typed',
  });
}

t.test('says in one sentence what it cannot do', { skip }, async (t) => {
  t.match(await lab(), { code: 2, stderr: /^lab: usage: .*\n$/ });
  t.match(await lab('exec', 'demo'), { code: 2, stderr: /usage/ });
  t.match(await lab('exec', 'demo', '--', 'true'), { code: 2, stderr: 'lab: the lab is down\n' });
  t.match(await lab('status'), { code: 1, stdout: 'the lab is down\n' });
});

t.test('brings a lab up that stays, runs commands in it, and takes it down', { skip }, async (t) => {
  t.teardown(() => removeLab(id));
  t.match(await lab('up'), { code: 0, stderr: '', stdout: /pod demo +10\.98\.1\.10/ });
  t.match(await lab('up'), { code: 0, stdout: /^the lab is up already\n/ });
  t.match(await lab('status'), { code: 0, stdout: /agent1 +pid \d+/ });
  t.match(await lab('exec', 'demo', '--', 'sh', '-c', 'cat; exit 7'), { code: 7, stdout: 'typed' });
  t.match(await lab('exec', 'demo', '--', 'sh', '-c', 'kill -TERM $$'), { code: 143 });
  t.match(await lab('exec', 'demo', '--', 'ip', '-br', 'address'), { code: 0, stdout: /10\.98\.1\.10\/24/ });
  t.match(await lab('exec', 'node', '--', 'ip', '-br', 'address'), { code: 0, stdout: /10\.98\.0\.11\/24/ });
  t.match(await lab('exec', 'nobody', '--', 'true'), {
    code: 2,
    stderr: /no pod nobody; it has demo, unbound, excepted/,
  });
  t.match(await lab('down'), { code: 0, stdout: 'the lab is down\n' });
  t.same(namespacesOf(id), []);
  t.match(await lab('down'), { code: 0, stdout: 'the lab was down already\n' });
});
