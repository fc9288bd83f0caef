import * as alone from './scenarios/alone.ts';
import * as chart from './scenarios/chart.ts';
import { coldStart } from './scenarios/cold-start.ts';
import { withoutAgent } from './scenarios/control.ts';
import * as endings from './scenarios/endings.ts';
import * as firstStart from './scenarios/first-start.ts';
import * as kindsOfPods from './scenarios/kinds-of-pods.ts';
import { quickStart } from './scenarios/quick-start.ts';
import { rights } from './scenarios/rights.ts';
import * as shippedPrograms from './scenarios/shipped-programs.ts';
import * as inStandardMode from './scenarios/standard.ts';
import * as tokens from './scenarios/tokens.ts';
import * as underLoad from './scenarios/under-load.ts';
import { managed, type Scenario, standard } from './stage.ts';

/** What there is on this machine. */
export interface Here {
  readonly helm: boolean;
  /** Network namespaces and cgroups. */
  readonly cold: boolean;
}

/** The chart, installed by helm on a cluster without the definitions. */
const byHelm: readonly Scenario[] = [chart.standard, chart.upgraded, chart.removed, chart.managed];

/** In order: each finds the cluster as the one before has left it, from an empty one to an uninstalled one. */
export const scenariosWith = ({ helm, cold }: Here): readonly Scenario[] => [
  withoutAgent,
  firstStart.firstStart,
  firstStart.finishInstall,
  tokens.token,
  tokens.refusals,
  tokens.several,
  tokens.excepted,
  kindsOfPods.initContainer,
  kindsOfPods.job,
  kindsOfPods.hostNetwork,
  kindsOfPods.hostToken,
  shippedPrograms.demo,
  shippedPrograms.validator,
  shippedPrograms.validatorFails,
  underLoad.deleted,
  underLoad.killed,
  underLoad.handedOver,
  rights('managed mode', managed),
  underLoad.upgraded,
  endings.rebooted,
  endings.daemonSetDeleted,
  endings.uninstalled('managed mode', managed.plain),
  inStandardMode.install,
  inStandardMode.assigned,
  inStandardMode.refused,
  quickStart,
  inStandardMode.edited,
  inStandardMode.lostAssignment,
  inStandardMode.leaderDeleted,
  inStandardMode.unassigned,
  rights('standard mode', standard),
  endings.uninstalled('standard mode', standard.gated),
  alone.applied,
  alone.broughtBack,
  alone.repaired,
  ...(helm ? byHelm : []),
  ...(cold ? [coldStart] : []),
];
