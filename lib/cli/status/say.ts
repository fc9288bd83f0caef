import { typeWords } from '../../model/identity.ts';
import { type ExitStatus, exit } from '../exit.ts';
import type { Report } from '../report.ts';
import type { Style } from '../style.ts';
import { type Cell, table } from '../table.ts';
import type { IdentityRow, ModeRow, NodeRow, PodRow, Summary } from './summary.ts';

/** Rows of what is in order that are shown to people; programs get all. */
const mostRows = 20;

export function statusReport(summary: Summary): Report {
  return { status: statusOf(summary), data: summary, text: (style) => asText(summary, style) };
}

/** 3 for what somebody has to mend, 4 for what time may, 1 for what could not be told. */
function statusOf({ nodes, pods, untold }: Summary): ExitStatus {
  const without = pods?.without ?? [];
  if (nodes.some(({ ready }) => ready === false) || without.some(({ decision }) => decision === 'deny'))
    return exit.no;
  if (without.length > 0) return exit.wait;
  return untold.length > 0 ? exit.unknown : exit.ok;
}

function asText(summary: Summary, style: Style): string {
  const { untold, mode, mic } = summary;
  const sections = [
    untold.map((why) => style.unsure(`? ${why}\n`)).join(''),
    nodesText(summary, style),
    mode.known && mode.operationMode === 'managed' && mic?.length === 0 ? '' : micText(mic, style),
    identitiesText(summary, style),
    podsText(summary, style),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

/** What could not be told: neither none nor zero. */
const unknown: Cell = { text: '?', mark: 'unsure' };

function nodesText({ nodes, allNodes, mode }: Summary, style: Style): string {
  const good = nodes.filter(({ ready }) => ready).length;
  const counted = nodes.some(({ ready }) => ready === null) || (!allNodes && nodes.length === 0) ? '?' : good;
  const head = `Nodes: ${allNodes ? nodes.length : '?'}, ${counted} with an agent that is ready; ${modeWords(mode)}`;
  const shown = shortened(nodes, ({ ready }) => ready === true);
  const rows = shown.flatMap(nodeLines);
  return section(
    head,
    ['NODE', 'AGENT', 'VERSION', 'RULES'],
    { rows, hidden: nodes.length - shown.length },
    style,
  );
}

function modeWords({ operationMode, namespaced, from, known }: ModeRow): string {
  const apart = namespaced && operationMode !== 'managed' ? ', namespaced' : '';
  return `${known ? '' : 'mode ?, taken for '}${operationMode} mode${apart} (${from})`;
}

function nodeLines({ node, agents }: NodeRow): (string | Cell)[][] {
  if (agents === null) return [[node, unknown, unknown, unknown]];
  if (agents.length === 0) return [[node, '', '', { text: 'no agent', mark: 'bad' }]];
  return agents.map(({ pod, version, ready, why }) => [node, pod, version, readiness(ready, why)]);
}

function micText(mic: Summary['mic'], style: Style): string {
  if (mic === null) return `${style.bold('MIC: ?')}\n`;
  const head = `MIC: ${mic.length === 0 ? 'none' : `${mic.filter(({ ready }) => ready).length} of ${mic.length} ready`}`;
  const rows = mic.map(({ pod, node, version, ready, why }) => [pod, node, version, readiness(ready, why)]);
  return section(head, ['POD', 'NODE', 'VERSION', 'STATE'], { rows, hidden: 0 }, style);
}

function readiness(ready: boolean, why: string): Cell {
  return ready ? { text: 'ready', mark: 'good' } : { text: `not ready: ${why}`, mark: 'bad' };
}

function identitiesText({ identities, assigned, mode }: Summary, style: Style): string {
  const states =
    mode.known && mode.operationMode === 'managed' ? '' : `; assigned: ${assignedWords(assigned)}`;
  const head = `Identities: ${identities?.length ?? '?'}${states}`;
  if (identities === null) return `${style.bold(head)}\n`;
  const shown = shortened(identities, ({ bindings, clientId }) => bindings?.length !== 0 && clientId !== '');
  const rows = shown.map(identityLine);
  const headings = ['IDENTITY', 'TYPE', 'CLIENT ID', 'BINDINGS'];
  return section(head, headings, { rows, hidden: identities.length - shown.length }, style);
}

function assignedWords(assigned: Summary['assigned']): string {
  if (assigned === null) return '?';
  const { Assigned, Created, Unassigned } = assigned;
  return `${Assigned} Assigned, ${Created} Created, ${Unassigned} Unassigned`;
}

function identityLine({ identity, type, clientId, bindings }: IdentityRow): (string | Cell)[] {
  const unnamed: Cell = { text: 'none', mark: 'bad' };
  const unbound: Cell = { text: 'none', mark: 'unsure' };
  const bound = bindings === null ? unknown : bindings.length > 0 ? bindings.join(', ') : unbound;
  return [identity, typeWords(type), clientId === '' ? unnamed : clientId, bound];
}

function podsText({ pods }: Summary, style: Style): string {
  if (pods === null) return `${style.bold('Pods: ?')}\n`;
  const { served, excepted, without } = pods;
  const waiting = without.filter(({ decision }) => decision === 'wait').length;
  const head = `Pods: ${served} with an identity, ${waiting} waiting, ${without.length - waiting} denied, ${excepted} excepted`;
  const rows = without.slice(0, mostRows).map(podLine);
  return section(
    head,
    ['POD', 'NODE', 'STATE', 'WHY'],
    { rows, hidden: without.length - rows.length },
    style,
  );
}

function podLine({ pod, node, decision, why }: PodRow): (string | Cell)[] {
  return [
    pod,
    node,
    decision === 'wait' ? { text: 'waits', mark: 'unsure' } : { text: 'denied', mark: 'bad' },
    why,
  ];
}

interface Rows {
  readonly rows: readonly (readonly (string | Cell)[])[];
  readonly hidden: number;
}

function section(head: string, headings: readonly string[], { rows, hidden }: Rows, style: Style): string {
  const body = rows.length > 0 ? table(headings, rows, style) : '';
  const more = hidden > 0 ? style.dim(`and ${hidden} more; -o json tells all\n`) : '';
  return `${style.bold(head)}\n${body}${more}`;
}

/** All of them while they are few; else those that need a look, and as many others as there is room for. */
function shortened<T>(rows: readonly T[], isFine: (row: T) => boolean): readonly T[] {
  const wrong = rows.filter((row) => !isFine(row));
  const room = Math.max(0, mostRows - wrong.length);
  const fine = new Set(rows.filter(isFine).slice(0, room));
  return rows.filter((row) => fine.has(row) || !isFine(row)).slice(0, Math.max(mostRows, wrong.length));
}
