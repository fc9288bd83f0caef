import { plain } from '../model/text.ts';

/** Longer than any ARM id; a line that is cut off in the middle does nothing that is meant. */
const longest = 1_000;

/**
 * A word of a command that people will paste into a shell: whatever an object's author wrote there stays one word. Where it may
 * begin with a dash, write it behind its flag (`--name=…`).
 */
export function quoted(word: string): string {
  const shown = plain(word.slice(0, longest));
  // zsh takes `=ls` for the path of ls.
  return /^(?!=)[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
