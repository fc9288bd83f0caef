import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemExec } from '../../lib/platform/exec.ts';
import { refusalOf } from '../fakes/failure.ts';

const patient = { timeoutMs: 20_000 };
const sh = (script: string) => systemExec('sh', ['-c', script], patient);

t.test('gives exit status, output and errors apart', async (t) => {
  t.strictSame(await sh('echo out; echo err >&2'), { code: 0, stdout: 'out\n', stderr: 'err\n' });
  t.strictSame(await sh('echo out; echo err >&2; exit 4'), { code: 4, stdout: 'out\n', stderr: 'err\n' });
});

t.test('passes arguments on as they are, through no shell', async (t) => {
  const args = ['%s\n', '$(id)', 'a b', '*', "'"];
  t.equal((await systemExec('printf', args, patient)).stdout, "$(id)\na b\n*\n'\n");
});

t.test('gives the program its input, and an end of it when there is none', async (t) => {
  const stdin = '*nat\nCOMMIT\n'.repeat(50_000);
  t.equal((await systemExec('cat', [], { ...patient, stdin })).stdout, stdin);
  t.equal((await systemExec('cat', [], patient)).stdout, '');
});

t.test('does not mind a program that ends without reading its input', async (t) => {
  const result = await systemExec('sh', ['-c', 'exit 3'], { ...patient, stdin: 'x'.repeat(1 << 20) });
  t.equal(result.code, 3);
});

t.test('says that a program is not installed', async (t) => {
  for (const file of ['no-such-program', '/no/such/iptables-restore'])
    t.strictSame(await refusalOf(() => systemExec(file, [], patient)), {
      code: 'exec-missing',
      message: `${file} is not installed`,
    });
});

t.test('a program that may not be run is a failed run, with the reason', async (t) => {
  const file = join(t.testdir(), 'plain');
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o644);
  const { code, stderr } = await systemExec(file, [], patient);
  t.equal(code, 128);
  t.match(stderr, 'EACCES');
});

t.test('kills what takes too long, also when it ignores SIGTERM', async (t) => {
  const work = () => systemExec('sh', ['-c', 'trap "" TERM; while :; do :; done'], { timeoutMs: 100 });
  t.strictSame(await refusalOf(work), { code: 'exec-timeout', message: 'sh took longer than 100 ms' });
});

t.test('a program that dies of a signal is a failed run', async (t) => {
  t.match(await sh('echo half; kill -TERM $$'), { code: 128, stdout: 'half\n' });
});

t.test('output beyond 16 MB is a failed run, not half an answer taken for whole', async (t) => {
  const { code, stdout, stderr } = await systemExec('head', ['-c', '20000000', '/dev/zero'], patient);
  t.equal(code, 128);
  t.match(stderr, 'maxBuffer');
  t.ok(stdout.length <= 16 * 1024 * 1024);
});
