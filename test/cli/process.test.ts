import { join } from 'node:path';
import t from 'tap';
import { type ExecResult, systemExec } from '../../lib/platform/exec.ts';

const program = join(import.meta.dirname, '../../bin/podid.ts');

/** What a shell makes of a line in which `podid` is the program. */
function inShell(line: string): Promise<ExecResult> {
  const stdin = `podid() { '${process.execPath}' '${program}' "$@"; }\n${line}\n`;
  return systemExec('bash', ['-eu', '-o', 'pipefail'], { timeoutMs: 120_000, stdin });
}

t.test('says and fails when what it tells cannot be written', async (t) => {
  t.match(await inShell('podid --help > /dev/full'), {
    code: 1,
    stderr: /^podid: cannot write: .*ENOSPC.*\n$/,
  });
});

t.test('ends in silence when whoever reads has enough', async (t) => {
  t.same(await inShell('podid --help | true'), { code: 0, stdout: '', stderr: '' });
});
