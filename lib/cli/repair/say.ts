import { keyOf } from '../../assign/snapshot.ts';
import type { Written } from '../../kube/assigned-objects.ts';
import { clean } from '../../model/text.ts';
import { ofMicDeployments } from '../agents/commands.ts';
import { type ExitStatus, exit } from '../exit.ts';
import type { Report } from '../report.ts';
import { quoted } from '../shell.ts';
import type { Style } from '../style.ts';
import { type Cell, table } from '../table.ts';
import type { MicAtWork } from './mic-standing.ts';
import type { Left, Repair, RepairCause, RepairPlan } from './plan.ts';

export interface Repaired {
  readonly repair: Repair;
  readonly became: Written | 'failed';
  /** Of one that failed. */
  readonly why?: string;
}

export interface RepairOutcome {
  readonly plan: RepairPlan;
  /** The MIC that is at work, if any. */
  readonly mic: MicAtWork | undefined;
  /** Nothing with `dryRun`. */
  readonly repaired: readonly Repaired[];
  readonly dryRun: boolean;
}

const causes: Readonly<Record<RepairCause, string>> = {
  stuck: 'deleted, and its finalizer is left',
  'pod-gone': 'its pod is gone',
};

/** What was done, what was left to a MIC, and what stays in Azure. */
export function repairReport(outcome: RepairOutcome): Report {
  const { plan, mic, repaired, dryRun } = outcome;
  const left = dryRun || repaired.length > 0 ? plan.left : [];
  return {
    status: statusOf(outcome),
    data: {
      dryRun,
      mic: mic?.who ?? null,
      repairs: plan.repairs.map((repair) => ({ ...dataOf(repair), result: resultOf(repair, outcome) })),
      leftToMic: plan.mics.map(dataOf),
      leftInAzure: left.map((each) => ({ ...each, machine: each.machine ?? null, command: removal(each) })),
    },
    text: (style) => [...rowsOf(outcome, style), ...azureLines(left, style)].join(''),
  };
}

function statusOf({ plan, repaired, dryRun }: RepairOutcome): ExitStatus {
  if (repaired.some(({ became }) => became === 'failed')) return exit.unknown;
  const left = dryRun ? plan.repairs.length : repaired.filter(({ became }) => became === 'changed').length;
  if (left > 0) return exit.no;
  return plan.mics.length > 0 ? exit.wait : exit.ok;
}

function rowsOf(outcome: RepairOutcome, style: Style): string[] {
  const { repairs, mics } = outcome.plan;
  if (repairs.length + mics.length === 0) return ['nothing to repair\n'];
  const rows = [
    ...repairs.map((repair) => [...cellsOf(repair), resultCell(resultOf(repair, outcome))]),
    ...mics.map((repair) => [...cellsOf(repair), resultCell('left to MIC')]),
  ];
  const lines = [table(['NAMESPACE', 'ASSIGNMENT', 'POD', 'WHY', 'RESULT'], rows, style)];
  const failed = outcome.repaired.find(({ became }) => became === 'failed');
  if (failed) lines.push(`\n${clean(failed.why ?? '')}\n`);
  if (mics.length > 0) lines.push(...leftToMic(outcome.mic));
  return lines;
}

function leftToMic(mic: MicAtWork | undefined): readonly string[] {
  const ending = ofMicDeployments(
    [mic?.pod ?? { namespace: 'NAMESPACE', name: '' }],
    (name, namespace) => `kubectl scale deployment/${name} --replicas=0 -n ${quoted(namespace)}`,
  );
  return [
    `\nMIC ${clean(mic?.who ?? '')} is at work and mends these itself; its log tells why it has not.\n`,
    'To repair without it, end it first:\n',
    ...ending.map((command) => `  ${command}\n`),
  ];
}

type Result =
  | 'released'
  | 'gone'
  | 'changed meanwhile'
  | 'failed'
  | 'not tried'
  | 'to be released'
  | 'left to MIC';

function resultOf(repair: Repair, { repaired, dryRun }: RepairOutcome): Result {
  if (dryRun) return 'to be released';
  const became = repaired.find((each) => each.repair === repair)?.became;
  if (became === undefined) return 'not tried';
  if (became === 'gone' || became === 'failed') return became;
  return became === 'changed' ? 'changed meanwhile' : 'released';
}

const marks: Readonly<Record<Result, keyof Style>> = {
  released: 'good',
  gone: 'good',
  'changed meanwhile': 'bad',
  failed: 'bad',
  'not tried': 'unsure',
  'to be released': 'unsure',
  'left to MIC': 'unsure',
};

function resultCell(text: Result): Cell {
  return { text, mark: marks[text] };
}

function cellsOf({ object, cause }: Repair): string[] {
  return [object.namespace, object.name, `${object.podNamespace}/${object.pod}`, causes[cause]];
}

function dataOf({ object, cause }: Repair): Readonly<Record<string, string>> {
  const { namespace, name, podNamespace, pod, node, state } = object;
  return { namespace, name, podNamespace, pod, node, state, identity: keyOf(object.identity), cause };
}

function azureLines(left: readonly Left[], { dim }: Style): string[] {
  if (left.length === 0) return [];
  return [
    '\nThese identities may still be on machines, and no MIC knows of them any more. To take them off:\n',
    ...left.map((each) => `  ${dim(removal(each))}\n`),
  ];
}

/** `az` takes an identity off a VM or a scale set by this; where the machine is not known, the node's name stands for it. */
function removal({ machine, node, resourceId }: Left): string {
  const kind = machine?.kind ?? 'vm';
  const group = machine ? quoted(machine.resourceGroup) : 'GROUP';
  const subscription = machine ? ` --subscription=${quoted(machine.subscription)}` : '';
  const name = quoted(machine?.name ?? node);
  return `az ${kind} identity remove${subscription} --resource-group=${group} --name=${name} --identities ${quoted(resourceId)}`;
}
