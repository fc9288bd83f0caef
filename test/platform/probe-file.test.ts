import { mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ExecResult, systemExec } from '../../lib/platform/exec.ts';
import type { LogFields } from '../../lib/platform/log.ts';
import { keepProbeFile } from '../../lib/platform/probe-file.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';

const program = join(import.meta.dirname, '../../bin/probe');

function probe(...args: readonly string[]): Promise<ExecResult> {
  return systemExec(program, args, { timeoutMs: 20_000 });
}

function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'probe-file-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Scene {
  readonly path: string;
  readonly problems: string[];
  readonly warnings: LogFields[];
  /** Lets it write once more. */
  write(): Promise<void>;
  end(): Promise<void>;
}

function scene(t: Test, path: string): Scene {
  const clock = new FakeClock();
  const ending = new AbortController();
  const [problems, warnings]: [string[], LogFields[]] = [[], []];
  const log = { warn: (fields: LogFields) => void warnings.push(fields) };
  const kept = keepProbeFile({ path, problems: () => problems, clock, log, ending: ending.signal });
  const end = async (): Promise<void> => {
    ending.abort();
    await kept;
  };
  t.teardown(end);
  const write = async (): Promise<void> => {
    await eventually('it rests', () => clock.waiting === 1);
    await clock.advance(2_000);
    await eventually('it rests', () => clock.waiting === 1);
  };
  return { path, problems, warnings, write, end };
}

t.test('the agent is live and ready while it writes and nothing is wrong', async (t) => {
  const { path, write } = scene(t, join(scratch(t), 'probe'));
  await write();
  t.match(await probe('live', path), { code: 0, stdout: '', stderr: '' });
  t.match(await probe('ready', path), { code: 0, stdout: '', stderr: '' });
});

t.test('it is live and not ready while something is wrong, and says what, one line each', async (t) => {
  const { path, problems, write } = scene(t, join(scratch(t), 'probe'));
  problems.push('guard rules: absent', 'pods: not read\nyet');
  await write();
  t.match(await probe('live', path), { code: 0, stdout: '' });
  t.match(await probe('ready', path), { code: 1, stdout: 'guard rules: absent\npods: not read yet\n' });
  problems.length = 0;
  await write();
  t.match(await probe('ready', path), { code: 0, stdout: '' });
});

t.test('it is neither when it has not written for more than 15 s', async (t) => {
  const path = join(scratch(t), 'probe');
  const now = Math.floor(uptime());
  writeFileSync(path, `${now - 5}\n`);
  t.match(await probe('ready', path), { code: 0 });
  writeFileSync(path, `${now - 17}\n`);
  for (const what of ['live', 'ready'])
    t.match(await probe(what, path), { code: 1, stdout: /^the agent has not answered for \d+ s\n$/ });
});

t.test('it is neither before it has written, or when what is there is no such file', async (t) => {
  const path = join(scratch(t), 'probe');
  t.match(await probe('live', path), { code: 1, stdout: `the agent has not written ${path} yet\n` });
  for (const text of ['', 'ready\n', '\n'])
    for (const what of ['live', 'ready']) {
      writeFileSync(path, text);
      t.not((await probe(what, path)).code, 0, `${what}: ${JSON.stringify(text)}`);
    }
});

t.test('a folder that is not there is told once, and once more after it was', async (t) => {
  const folder = join(scratch(t), 'later');
  const { path, warnings, write } = scene(t, join(folder, 'probe'));
  await write();
  await write();
  t.match(warnings, [{ path, why: /ENOENT/ }]);
  await systemExec('mkdir', [folder], { timeoutMs: 20_000 });
  await write();
  t.match(readFileSync(path, 'utf8'), /^\d+\n$/);
  rmSync(path);
  rmdirSync(folder);
  await write();
  t.equal(warnings.length, 2);
});

t.test('without a path nothing is written, and it ends when told', async (t) => {
  const { warnings, write, end } = scene(t, '');
  await write();
  await end();
  t.same(warnings, []);
});

t.test('refuses another question', async (t) => {
  t.match(await probe('alive', '/dev/null'), { code: 2, stderr: /usage/ });
  t.not((await probe('live')).code, 0);
});
