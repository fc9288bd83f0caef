import t from 'tap';
import { bashCompletion } from '../../../lib/cli/completion/scripts.ts';
import { exit } from '../../../lib/cli/exit.ts';
import { verbs } from '../../../lib/cli/verbs.ts';
import { systemExec } from '../../../lib/platform/exec.ts';
import { call } from '../rig.ts';

/** What bash offers behind these words, the last of which is being typed. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const stdin = `${bashCompletion(verbs)}
compopt() { :; }
COMP_WORDS=(podid ${typed}); COMP_CWORD=${words.length}; _podid; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await systemExec('bash', ['-eu'], { timeoutMs: 60_000, stdin });
  if (code !== 0) throw new Error(stderr);
  return stdout.trimEnd().split('\n');
}

t.test('bash completes verbs, their second words and their flags', async (t) => {
  const first = [...new Set(verbs.map(({ name }) => name.split(' ')[0]))];
  t.same(new Set(await offered('')), new Set(first), 'every verb of the table');
  t.same(await offered('exc'), ['exception']);
  t.same((await offered('exception', '')).sort(), ['add', 'delete', 'list', 'update']);
  t.same(await offered('add', '--ident'), ['--identity-resource-id=']);
  t.same(await offered('exception', 'add', '--pod'), ['--pod-labels=']);
  // Readline takes `=` for a word of its own.
  for (const front of [['-n', 'shop'], ['--namespace', '=', 'shop'], ['-nshop']])
    t.same(await offered(...front, 'exception', 'l'), ['list'], front.join(' '));
});

t.test('prints a script for zsh with a line about each verb', async (t) => {
  const { status, stdout } = await call(['completion', 'zsh']);
  t.equal(status, exit.ok);
  t.match(stdout, /^#compdef podid kubectl-podid\n/);
  for (const { name, summary } of verbs)
    t.ok(stdout.includes(`'${name.split(' ').at(-1)}:${summary.replaceAll("'", "'\\''")}'`), name);
});

t.test('knows no other shell', async (t) => {
  t.match(await call(['completion', 'fish']), { status: exit.usage, stderr: /bash or zsh/ });
});
