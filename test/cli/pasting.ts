/**
 * Why a line is none to paste into an interactive shell, whichever; undefined of one that is. Behind `#` stands no comment there in
 * zsh, macOS's own, but words, and a quote among them lasts until the next one: in the next line, where others' text stands.
 */
export function troubleIn(line: string): string | undefined {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    if (quote === "'") {
      if (char === "'") quote = '';
    } else if (char === '\\') i++;
    else if (char === '`' || line.startsWith('$(', i)) return `a command within the command: ${line}`;
    else if (char === '"') quote = quote === '"' ? '' : '"';
    else if (quote === '' && char === "'") quote = "'";
    else if (quote === '' && char === '#') return `a comment: ${line}`;
  }
  if (quote !== '') return `a quote that stays open: ${line}`;
  return /\p{Cc}/u.test(line) ? `more than a line: ${line}` : undefined;
}

/** The commands that `explain`, `doctor` and `repair` told people to run, in text or in JSON. */
export function commandsIn([verb = '']: readonly string[], stdout: string): readonly string[] {
  if (stdout.startsWith('{')) return [...told(JSON.parse(stdout))];
  const text = stdout.replace(/\x1b\[\d*[a-zA-Z]/g, '');
  const shown = shownBy[verb];
  return shown ? Array.from(text.matchAll(shown), ([, command = '']) => command) : [];
}

const shownBy: Readonly<Record<string, RegExp>> = {
  doctor: /^ {6}\$ (.*)$/gm,
  explain: /^ {13}(\S.*)$/gm,
  repair: /^ {2}((?:az|kubectl) .*)$/gm,
};

function* told(value: unknown, key = ''): Generator<string> {
  if (typeof value === 'string' && (key === 'mend' || key === 'command')) yield value;
  if (Array.isArray(value)) for (const each of value) yield* told(each, key);
  else if (typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) yield* told(each, name);
}

/** Throws where one of these is no line to paste. */
export function allToPaste(commands: readonly string[]): void {
  for (const command of commands) {
    const trouble = troubleIn(command);
    if (trouble !== undefined) throw new Error(trouble);
  }
}
