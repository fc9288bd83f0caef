import { nmiFlags } from '../../config/nmi-flags.ts';
import { podKey } from '../../model/pod.ts';
import type { Agent } from '../agents/agent.ts';
import type { AgentSettings } from '../agents/settings.ts';
import { orNone, untoldOf } from '../told.ts';
import type { Agents } from './mode.ts';

const defaults: AgentSettings = {
  operationMode: nmiFlags.operationMode.default,
  forceNamespaced: nmiFlags.forceNamespaced.default,
  micNamespace: nmiFlags.micNamespace.default,
  enableScaleFeatures: nmiFlags.enableScaleFeatures.default,
  aksAddonException: nmiFlags.aksAddonException.default,
  allowCrossNamespaceSecrets: nmiFlags.allowCrossNamespaceSecrets.default,
  allowedAdEndpoints: nmiFlags.allowedAdEndpoints.default,
};

/** What decides which pods get an identity. */
const modeKeys = ['operationMode', 'forceNamespaced', 'micNamespace', 'aksAddonException'] as const;
/** With what the way of one request depends on beside them. */
const settingKeys = [
  ...modeKeys,
  'enableScaleFeatures',
  'allowCrossNamespaceSecrets',
  'allowedAdEndpoints',
] as const;

/** Whose command line it is, and what it says: a sentence where an agent would refuse it. */
interface Source {
  readonly whose: string;
  readonly settings: AgentSettings | string;
}

interface Read extends Source {
  readonly settings: AgentSettings;
}

/** What the command lines of agents tell of how they decide. */
export interface Learned {
  readonly settings: AgentSettings;
  readonly from: string;
  readonly doubt: string | undefined;
}

/** Those that count alike, all of them first. Of two agents on a node, the one that is leaving decides nothing any more. */
function sourcesFor(node: string, { pods, sets }: Agents): readonly Source[] {
  const all = orNone(pods);
  const here = all.filter((agent) => node === '' || agent.node === node);
  const ofPods = (agents: readonly Agent[], note = ''): readonly Source[] =>
    staying(agents).map((pod) => ({ whose: `pod ${podKey(pod)}${note}`, settings: pod.settings }));
  const ofSets = staying(orNone(sets)).map((set) => ({
    whose: `DaemonSet ${podKey(set)}`,
    settings: set.settings,
  }));
  if (node === '') return [...ofPods(here), ...ofSets];
  const tiers = [ofPods(here), ofSets, ofPods(all, ", another node's")];
  return tiers.find(({ length }) => length > 0) ?? [];
}

function staying<T extends { readonly deleting: boolean }>(all: readonly T[]): readonly T[] {
  const left = all.filter(({ deleting }) => !deleting);
  return left.length > 0 ? left : all;
}

/** For that node ('': for all). `said`: what the caller says in their place. */
export function learned(node: string, agents: Agents, said: Partial<AgentSettings>): Learned {
  const sources = sourcesFor(node, agents);
  const read = sources.flatMap(({ whose, settings }) =>
    typeof settings === 'string' ? [] : [{ whose, settings }],
  );
  const [first] = read;
  if (first) {
    const keys = node === '' ? modeKeys : settingKeys;
    return {
      settings: first.settings,
      from: `the flags of ${first.whose}`,
      doubt: dispute(read, said, keys),
    };
  }
  const isSaid = said.operationMode !== undefined;
  const doubt = isSaid ? undefined : doubtOf(sources[0], agents);
  return { settings: defaults, from: "the agent's defaults", doubt };
}

/** Why it is a guess that agents have no flags of their own. An agent whose flags are refused does not start. */
function doubtOf(refused: Source | undefined, { pods, sets }: Agents): string | undefined {
  if (refused) return `the flags of ${refused.whose} are refused: ${refused.settings}`;
  const [unread] = untoldOf(pods, sets);
  return unread;
}

/** A sentence where two of them differ in a flag that is not `said`. */
function dispute(
  [first, ...others]: readonly Read[],
  said: Partial<AgentSettings>,
  keys: readonly (keyof AgentSettings)[],
): string | undefined {
  if (!first) return undefined;
  const told = effective(first.settings, said);
  for (const { whose, settings } of others) {
    const other = effective(settings, said);
    const key = keys.find((each) => JSON.stringify(told[each]) !== JSON.stringify(other[each]));
    if (key) return `${first.whose} and ${whose} disagree about --${nmiFlags[key].flag}`;
  }
  return undefined;
}

/** In managed mode the flags of standard mode are of no account. */
function effective(settings: AgentSettings, said: Partial<AgentSettings>): AgentSettings {
  const all = { ...settings, ...said };
  const { forceNamespaced, micNamespace, enableScaleFeatures } = defaults;
  return all.operationMode === 'managed'
    ? { ...all, forceNamespaced, micNamespace, enableScaleFeatures }
    : all;
}
