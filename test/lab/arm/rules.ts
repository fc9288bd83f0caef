import type { VmIdentity } from '../imds/types.ts';
import type { Refusal } from './refusals.ts';
import * as refusals from './refusals.ts';
import type { ManagedIdentity } from './types.ts';

/** The identities of a machine. */
export interface Identities {
  readonly system: VmIdentity | undefined;
  /** ARM ids in lower case. */
  readonly user: ReadonlySet<string>;
}

/** What a PATCH is judged by. */
export interface Situation {
  /** ARM id of the machine. */
  readonly machine: string;
  readonly now: Identities;
  /** All that exist, by ARM id in lower case. */
  readonly known: ReadonlyMap<string, ManagedIdentity>;
  /** What the machine gets when it has none and is given one. */
  readonly newSystem: VmIdentity;
}

const types = ['none', 'systemassigned', 'userassigned', 'systemassigned,userassigned'];
const most = 150;

/** What the machine has after the PATCH, by ARM's rules: a type that does not name a kind of identity takes it away. */
export function judge(text: string, situation: Situation): Refusal | Identities {
  const { type, map } = identityIn(text);
  const kinds = String(type).toLowerCase().replaceAll(' ', '');
  if (!types.includes(kinds)) return refusals.unreadable;
  const hasSystem = kinds.startsWith('systemassigned');
  const system = hasSystem ? (situation.now.system ?? situation.newSystem) : undefined;
  if (!kinds.endsWith('userassigned'))
    return map ? refusals.idsNotWanted(String(type)) : { system, user: new Set() };
  const changes = Object.entries(map ?? {}).map(([id, value]) => [id.toLowerCase(), value] as const);
  if (changes.length > most) return refusals.tooMany;
  const user = new Set(situation.now.user);
  for (const [id, value] of changes) {
    if (value === null ? !user.has(id) : JSON.stringify(value) !== '{}') return refusals.notThere(id);
    if (value === null) user.delete(id);
    else user.add(id);
  }
  if (user.size === 0) return refusals.noIds;
  return (
    refuseNew(
      changes.filter(([, value]) => value !== null).map(([id]) => id),
      situation,
    ) ?? { system, user }
  );
}

/** Rights are asked first, for all ids at once; then one id that does not exist is named. */
function refuseNew(ids: readonly string[], { machine, known }: Situation): Refusal | undefined {
  const forbidden = ids.filter((id) => known.get(id)?.assignable === false);
  if (forbidden.length > 0) return refusals.notAuthorized(machine, forbidden);
  const missing = ids.find((id) => !known.has(id));
  return missing === undefined ? undefined : refusals.noIdentity(machine, missing);
}

function identityIn(text: string): { type?: unknown; map?: Record<string, unknown> } {
  try {
    const { identity } = JSON.parse(text);
    return { type: identity.type, map: identity.userAssignedIdentities };
  } catch {
    return {};
  }
}
