import { nmiFlags } from '../../config/nmi-flags.ts';
import { optional } from '../../config/types.ts';
import type { Agent } from '../agents/agent.ts';
import type { AgentSet } from '../agents/read.ts';
import type { AgentSettings } from '../agents/settings.ts';
import type { Told } from '../told.ts';
import { learned } from './learned.ts';

/** How an agent decides. */
export interface Mode {
  readonly managed: boolean;
  /** Identities serve pods of their own namespace only. */
  readonly namespaced: boolean;
  /** Where MIC's own pods are, which pass as the node. */
  readonly micNamespace: string | undefined;
  /** It reads only the assignments that carry its node's name. */
  readonly byNode: boolean;
  /** Where this was learned. */
  readonly from: string;
  /** Why it is a guess, if it is one. */
  readonly doubt: string | undefined;
  readonly settings: AgentSettings;
}

const { operationMode, forceNamespaced, micNamespace, enableScaleFeatures } = nmiFlags;

// The environment is the agent's, not that of whoever asks.
const { env: _, ...withoutEnv } = forceNamespaced;

/** The agent's own flags, to say what it would be told where that cannot be read, or to try another. */
export const modeFlags = {
  operationMode: { ...operationMode, type: optional(operationMode.type), default: undefined },
  forceNamespaced: { ...withoutEnv, type: optional(forceNamespaced.type), default: undefined },
  micNamespace: { ...micNamespace, type: optional(micNamespace.type), default: undefined },
  enableScaleFeatures: {
    ...enableScaleFeatures,
    type: optional(enableScaleFeatures.type),
    default: undefined,
  },
};

type ModeFlag = 'operationMode' | 'forceNamespaced' | 'micNamespace' | 'enableScaleFeatures';

export type ModeFlags = { readonly [Key in ModeFlag]: AgentSettings[Key] | undefined };

/** Of a verb's flags, those that are the agent's. */
export function givenIn({
  operationMode,
  forceNamespaced,
  micNamespace,
  enableScaleFeatures,
}: Partial<ModeFlags>): ModeFlags {
  return { operationMode, forceNamespaced, micNamespace, enableScaleFeatures };
}

/** What brings agents, and the agents themselves. */
export interface Agents {
  readonly pods: Told<readonly Agent[]>;
  readonly sets: Told<readonly AgentSet[]>;
}

/**
 * The agent's flags as its pod on that node ('': on any) has them, else as a DaemonSet or another node's has them; `given` come
 * first. Where those that count alike say different things, that is a doubt: none of them is believed.
 */
export function modeOn(node: string, agents: Agents, given: ModeFlags): Mode {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { settings, from, doubt } = learned(node, agents, said);
  const merged: AgentSettings = { ...settings, ...said };
  const managed = merged.operationMode === 'managed';
  return {
    managed,
    namespaced: managed || merged.forceNamespaced,
    micNamespace: managed ? undefined : merged.micNamespace,
    byNode: !managed && merged.enableScaleFeatures,
    from: Object.keys(said).length > 0 ? 'the flags of this call' : from,
    doubt,
    settings: merged,
  };
}

/** The mode where it is known: what follows from a guess is no answer. */
export function knownMode(mode: Mode): Told<Mode> {
  return mode.doubt === undefined ? { kind: 'told', value: mode } : { kind: 'untold', why: mode.doubt };
}
