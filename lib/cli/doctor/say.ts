import { plain } from '../../model/text.ts';
import { type ExitStatus, exit } from '../exit.ts';
import type { Report } from '../report.ts';
import type { Style } from '../style.ts';
import type { Examined } from './checks.ts';
import { counted, type Finding, type Severity } from './finding.ts';

type Answer = 'ok' | 'found' | 'unknown';

/** What all checks came to, the worst of it as the status. */
export function examination(examined: readonly Examined[]): Report {
  return {
    status: statusOf(examined),
    data: {
      checks: examined.map(({ check, findings, untold }) => ({
        check: check.name,
        answer: answerOf({ findings, untold }),
        title: check.title,
        findings,
        untold,
      })),
    },
    text: (style) => `${examined.map((each) => lines(each, style)).join('')}\n${summary(examined)}\n`,
  };
}

/** A note is no reason to mend anything. */
function statusOf(examined: readonly Examined[]): ExitStatus {
  const found = examined.some(({ findings }) => findings.some(({ severity }) => severity !== 'note'));
  if (found) return exit.no;
  return examined.some(({ untold }) => untold.length > 0) ? exit.unknown : exit.ok;
}

function answerOf({ findings, untold }: Pick<Examined, 'findings' | 'untold'>): Answer {
  if (findings.length > 0) return 'found';
  return untold.length > 0 ? 'unknown' : 'ok';
}

/** Of one check, for people; the worst come first. */
const mostShown = 10;
const ranks: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

function lines({ check, findings, untold }: Examined, style: Style): string {
  const sorted = findings.toSorted((a, b) => ranks[a.severity] - ranks[b.severity]);
  const rest = sorted.length - mostShown;
  const notes = sorted.every(({ severity }) => severity === 'note');
  const mark = {
    ok: style.good('✓'),
    found: notes ? style.good('✓') : style.bad('✗'),
    unknown: style.unsure('?'),
  }[answerOf({ findings, untold })];
  return [
    `${mark} ${style.bold(check.title)}\n`,
    ...sorted.slice(0, mostShown).map((finding) => told(finding, style)),
    ...(rest > 0 ? [`    ${style.dim(`and ${rest} more; -o json tells all`)}\n`] : []),
    ...untold.map((why) => `    ${style.unsure('could not tell:')} ${plain(why)}\n`),
  ].join('');
}

function told({ severity, what, why, mend }: Finding, style: Style): string {
  const word = { error: style.bad('error:'), warning: style.unsure('warning:'), note: style.dim('note:') };
  const commands = mend.map((command) => `      ${style.bold('$')} ${plain(command)}\n`);
  return `    ${word[severity]} ${plain(what)}\n      ${style.dim(`${plain(why)}.`)}\n${commands.join('')}`;
}

function summary(examined: readonly Examined[]): string {
  const count = (severity: Severity): number =>
    examined.reduce(
      (sum, { findings }) => sum + findings.filter((each) => each.severity === severity).length,
      0,
    );
  const untold = examined.filter((each) => each.untold.length > 0).length;
  const counts = (['error', 'warning', 'note'] as const).map((severity) =>
    counted(count(severity), severity),
  );
  return `${counts.join(', ')}${untold > 0 ? `; ${counted(untold, 'check')} could not tell all` : ''}`;
}
