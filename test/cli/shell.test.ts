import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import t from 'tap';
import { quoted } from '../../lib/cli/shell.ts';

t.test('a word stays one word in a shell, whatever stands in it', async (t) => {
  const shells = ['/bin/sh', '/usr/bin/zsh'].filter((path) => existsSync(path));
  const words = [
    'plain',
    'a b',
    "it's",
    '$(id)',
    '`id`',
    'x;rm -rf /',
    '"',
    '\\',
    '*',
    '~',
    '!!',
    '=ls',
    '# x',
    '',
  ];
  for (const shell of shells)
    for (const word of words) {
      const told = execFileSync(shell, ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' });
      t.equal(told, word, shell);
    }
});

t.test('an ARM id is readable as it stands, and not cut off', async (t) => {
  const id = `/subscriptions/s/resourcegroups/${'g'.repeat(90)}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${'i'.repeat(128)}`;
  t.equal(quoted(id), id);
});

t.test('what acts on a terminal, or ends a line, does not get there', async (t) => {
  t.equal(quoted('a\n\x1b[2Jb'), "'a??[2Jb'");
});
