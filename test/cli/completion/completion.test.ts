import { existsSync } from 'node:fs';
import t from 'tap';
import { bashCompletion, zshCompletion } from '../../../lib/cli/completion/scripts.ts';
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
  t.same(await offered('completion', ''), ['bash', 'zsh']);
  t.same(await offered('add', '--ident'), ['--identity-resource-id=']);
  t.same(await offered('exception', 'add', '--pod'), ['--pod-labels=']);
  // Readline takes `=` for a word of its own.
  for (const front of [['-n', 'shop'], ['--namespace', '=', 'shop'], ['-nshop']])
    t.same(await offered(...front, 'exception', 'l'), ['list'], front.join(' '));
});

/** What zsh offers, with its own completion functions in place of those that need a terminal. */
async function offeredByZsh(...words: readonly string[]): Promise<string[]> {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const stdin = `compdef() { :; }
compadd() { [[ $1 == -S ]] && shift 2; shift; print -rl -- "$@"; }
_describe() { print -rl -- "\${(@P)2}"; }
${zshCompletion(verbs)}
words=(podid ${typed}) CURRENT=${words.length + 1} PREFIX='${words.at(-1)}'; _podid`;
  const { code, stdout, stderr } = await systemExec('zsh', ['-f'], { timeoutMs: 60_000, stdin });
  if (code !== 0 || stderr !== '') throw new Error(stderr);
  return stdout.trimEnd().split('\n');
}

const noZsh = existsSync('/usr/bin/zsh') ? false : 'there is no zsh here';

t.test('zsh completes the same, with a line about each', { skip: noZsh }, async (t) => {
  t.equal((await offeredByZsh('')).length, new Set(verbs.map(({ name }) => name.split(' ')[0])).size);
  t.ok((await offeredByZsh('')).includes('exception:add, update, delete, list'));
  t.match(await offeredByZsh('exception', ''), [/^add:Let pods/, /^update:/, /^delete:/, /^list:/]);
  t.match(await offeredByZsh('-n', 'shop', 'exception', ''), [/^add:/]);
  t.ok((await offeredByZsh('add', '--')).includes('--identity-resource-id='));
  t.match(await offeredByZsh('completion', ''), ['bash:bash', 'zsh:zsh']);
});

t.test('prints a script for zsh with a line about each verb', async (t) => {
  const { status, stdout } = await call(['completion', 'zsh']);
  t.equal(status, exit.ok);
  t.match(stdout, /^#compdef podid kubectl-podid\n/);
  t.ok(stdout.includes("'exception:add, update, delete, list'"), 'a word of several verbs names them');
  for (const { name, summary } of verbs)
    t.ok(stdout.includes(`'${name.split(' ').at(-1)}:${summary.replaceAll("'", "'\\''")}'`), name);
});

t.test('knows no other shell', async (t) => {
  t.match(await call(['completion', 'fish']), { status: exit.usage, stderr: /bash or zsh/ });
});
