import { withoutAgent } from './scenarios/control.ts';
import * as endings from './scenarios/endings.ts';
import * as firstStart from './scenarios/first-start.ts';
import * as kindsOfPods from './scenarios/kinds-of-pods.ts';
import { rights } from './scenarios/rights.ts';
import * as inStandardMode from './scenarios/standard.ts';
import * as tokens from './scenarios/tokens.ts';
import * as underLoad from './scenarios/under-load.ts';
import { managed, type Scenario, standard } from './stage.ts';

/** In order: each finds the cluster as the one before has left it, from an empty one to an uninstalled one. */
export const scenarios: readonly Scenario[] = [
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
  inStandardMode.edited,
  inStandardMode.lostAssignment,
  inStandardMode.leaderDeleted,
  inStandardMode.unassigned,
  rights('standard mode', standard),
  endings.uninstalled('standard mode', standard.gated),
];
