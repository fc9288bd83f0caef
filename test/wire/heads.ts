import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The head of a request as a client sends it; no client sends a body. */
export interface Head {
  /** `token` asks for one; `probe` looks whether there is an IMDS. */
  readonly kind: 'token' | 'probe';
  /** The status by which this client goes on. */
  readonly status: number;
  readonly client: string;
  /** Its version and what it was told to do, or the source that the head was written from. */
  readonly evidence: string;
  /** Seen on a wire, not written from documentation. */
  readonly captured: boolean;
  readonly target: string;
  /** The head to its last byte. */
  readonly bytes: string;
}

const folder = join(import.meta.dirname, 'heads');
const title = /^(token|probe (\d{3})) \| (.+?) \| (.+)$/;

/** Every head of `heads/*.txt`, with its placeholders filled in. Throws where a file is not in their form. */
export const heads: readonly Head[] = globSync('*.txt', { cwd: folder }).sort().flatMap(headsOf);

function headsOf(file: string): Head[] {
  const [, ...blocks] = readFileSync(join(folder, file), 'latin1').split('\n\n### ');
  return blocks.map((block) => headOf(block.trimEnd().split('\n'), basename(file) !== 'documented.txt'));
}

function headOf([first = '', ...lines]: readonly string[], captured: boolean): Head {
  const [, kind = '', status = '200', client, evidence] = title.exec(first) ?? [];
  const target = /^GET (\S+) HTTP\/1\.[01]$/.exec(lines[0] ?? '')?.[1];
  if (!client || !evidence || !target) throw new Error(`not the title of a head, or none below it: ${first}`);
  const bytes = `${lines.map(fill).join('\r\n')}\r\n\r\n`;
  const about = { client, evidence, captured, target, bytes };
  return { kind: kind === 'token' ? 'token' : 'probe', status: Number(status), ...about };
}

/** The release of a kernel stands in some User-Agents. */
function fill(line: string): string {
  return line.replace('{request-id}', () => randomUUID()).replace('{kernel}', '6.8.0-1021-azure');
}
