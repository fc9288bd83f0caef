import { usage } from '../config/load.ts';
import type { Verb } from './verb.ts';

const statuses = `Exit status: 0 yes, done, nothing to mend; 1 could not tell, or failed; 2 the command line is wrong;
3 no: denied, or something to mend; 4 it would have to wait.
`;

/** The text of `podid --help`. */
export function helpOf(verbs: readonly Verb[]): string {
  const names = verbs.map(({ name, words }) => [name, words].filter(Boolean).join(' '));
  const width = Math.max(...names.map((name) => name.length)) + 3;
  const rows = verbs.map(({ summary }, i) => `  ${names[i]?.padEnd(width)}${summary}`);
  return `podid: pod-identity in a cluster. Also as a plugin: kubectl podid …

Usage: podid VERB [--flag=value …]

${rows.join('\n')}

podid VERB --help tells the flags of a verb, podid --version the version.

${statuses}`;
}

/** The text of `podid VERB --help`. */
export function helpOfVerb({ name, words, summary, about, flags }: Verb): string {
  const program = ['podid', name, words].filter(Boolean).join(' ');
  const [first = '', ...rows] = usage(program, flags).split('\n');
  return `${first}\n\n${summary}.\n\n${about.trim()}\n${rows.join('\n')}\n${statuses}`;
}
