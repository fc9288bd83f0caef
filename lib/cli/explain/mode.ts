import { nmiFlags } from '../../config/nmi-flags.ts';
import { optional } from '../../config/types.ts';
import { podKey } from '../../model/pod.ts';
import type { Agent } from '../agents/agent.ts';
import type { AgentSet } from '../agents/read.ts';
import type { AgentSettings } from '../agents/settings.ts';
import type { Told } from '../told.ts';

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

/** The agent's flags as its pod on that node ('': on any) has them, else as a DaemonSet or another node's has them; `given` come first. */
export function modeOn(node: string, agents: Agents, given: ModeFlags): Mode {
  const { settings, from, doubt } = learned(node, agents);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const merged: AgentSettings = { ...settings, ...Object.fromEntries(entries) };
  const managed = merged.operationMode === 'managed';
  return {
    managed,
    namespaced: managed || merged.forceNamespaced,
    micNamespace: managed ? undefined : merged.micNamespace,
    byNode: !managed && merged.enableScaleFeatures,
    from: entries.length > 0 ? 'the flags of this call' : from,
    doubt: given.operationMode === undefined ? doubt : undefined,
    settings: merged,
  };
}

const defaults: AgentSettings = {
  operationMode: nmiFlags.operationMode.default,
  forceNamespaced: nmiFlags.forceNamespaced.default,
  micNamespace: nmiFlags.micNamespace.default,
  enableScaleFeatures: nmiFlags.enableScaleFeatures.default,
  allowCrossNamespaceSecrets: nmiFlags.allowCrossNamespaceSecrets.default,
  allowedAdEndpoints: nmiFlags.allowedAdEndpoints.default,
};

interface Learned {
  readonly settings: AgentSettings;
  readonly from: string;
  readonly doubt: string | undefined;
}

function learned(node: string, { pods, sets }: Agents): Learned {
  const all = pods.kind === 'told' ? pods.value : [];
  const isHere = (agent: Agent): boolean => node === '' || agent.node === node;
  const here = all.filter(isHere).toSorted(readyFirst);
  const elsewhere = all.filter((agent) => !isHere(agent));
  const brings = sets.kind === 'told' ? sets.value : [];
  const sources = [
    ...here.map((pod) => [`the flags of pod ${podKey(pod)}`, pod.settings] as const),
    ...brings.map((set) => [`the flags of DaemonSet ${podKey(set)}`, set.settings] as const),
    ...elsewhere.map((pod) => [`the flags of pod ${podKey(pod)}, another node's`, pod.settings] as const),
  ];
  const [first] = sources;
  if (first && typeof first[1] !== 'string') return { settings: first[1], from: first[0], doubt: undefined };
  const unread = pods.kind === 'untold' ? pods.why : undefined;
  const doubt = first ? `${first[0]} are refused: ${first[1]}` : unread;
  return { settings: defaults, from: "the agent's defaults", doubt };
}

/** Of two agents on a node, the one that is leaving decides nothing any more. */
function readyFirst(a: Agent, b: Agent): number {
  return Number(a.deleting) - Number(b.deleting) || Number(b.ready) - Number(a.ready);
}
