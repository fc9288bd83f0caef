import { dumpYaml } from '@kubernetes/client-node';
import type { ExitStatus } from './exit.ts';
import type { Style } from './style.ts';

/** What a verb found or did. */
export interface Report {
  readonly status: ExitStatus;
  /** For `-o json` and `-o yaml`: plain data, without functions and dates. */
  readonly data: unknown;
  /** For people; ends with a newline. What others wrote in it is clean (lib/model/text.ts). */
  readonly text: (style: Style) => string;
}

export type Output = 'text' | 'json' | 'yaml';

/** What acts on a terminal though JSON leaves it as it is, and YAML most of it. */
const marks = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

const colourOrMark = /\x1b\[(?:1|2|22|31|32|33|39)m|[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The report as it goes to stdout. Several of them, one after the other, are a stream that programs can take apart. */
export function printed({ data, text }: Report, output: Output, style: Style): string {
  switch (output) {
    case 'text':
      return harmless(text(style));
    case 'json':
      return asJson(data);
    case 'yaml':
      return `---\n${asYaml(data)}`;
  }
}

/**
 * The second line behind each verb's own care: of what acts on a terminal, nothing goes out but the colours of style.ts, whoever
 * wrote it.
 */
function harmless(text: string): string {
  return text.replace(colourOrMark, (found) => (found.length > 1 && found.endsWith('m') ? found : '?'));
}

/** Marks in JSON's own spelling: the values stay what they are. */
function asJson(data: unknown): string {
  return `${JSON.stringify(data, undefined, 2).replace(marks, spelled)}\n`;
}

/** Through JSON: what is undefined is left out, as there. What YAML cannot spell is told as JSON, which is YAML. */
function asYaml(data: unknown): string {
  const yaml = dumpYaml(JSON.parse(JSON.stringify(data)), { lineWidth: -1, noRefs: true });
  return yaml.search(marks) < 0 ? yaml : asJson(data);
}

function spelled(mark: string): string {
  const units = Array.from({ length: mark.length }, (_, i) => mark.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
