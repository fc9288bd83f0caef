import { byKey } from '../model/order.ts';
import type { Grant, Grants } from './grants.ts';
import type { Problems } from './problem.ts';
import { type AssignedObject, keyOf, type MicPod } from './snapshot.ts';

/** One assignment that should be there. */
export interface Desired {
  readonly name: string;
  readonly pod: MicPod;
  readonly grant: Grant;
}

/** The longest name of an object. */
const longestName = 253;

/**
 * Every assignment that should be there, by the key of its object. Pods without a node and completed ones need none.
 * `objects` are what stands now: where two pods compete for a name, the one that has it keeps it.
 */
export function desiredOf(
  pods: Iterable<MicPod>,
  grants: Grants,
  {
    objects,
    problems,
  }: { readonly objects: ReadonlyMap<string, AssignedObject>; readonly problems: Problems },
): Map<string, Desired> {
  const desired = new Map<string, Desired>();
  for (const pod of pods) {
    if (pod.ended || pod.node === '') continue;
    for (const grant of grants.of(pod)) {
      const name = `${pod.name}-${pod.namespace}-${grant.identity.name}`;
      if (name.length > longestName) {
        tellLong(pod, grant, problems);
        continue;
      }
      const key = `${grant.objectNamespace}/${name}`;
      const rival = desired.get(key);
      const mine = { name, pod, grant };
      desired.set(key, rival ? winner(mine, rival, { holder: objects.get(key), problems }) : mine);
    }
  }
  return desired;
}

/**
 * `a-b` in namespace `c` and `a` in `b-c` have one name, so that whoever may name pods could take away the assignment of
 * another namespace's: who has it keeps it. Without one, the first binding by namespace and name decides, then the pod.
 */
function winner(
  a: Desired,
  b: Desired,
  { holder, problems }: { readonly holder: AssignedObject | undefined; readonly problems: Problems },
): Desired {
  const holds = ({ pod }: Desired): boolean =>
    holder?.podNamespace === pod.namespace && holder.pod === pod.name;
  const order = byKey(a.grant.binding, b.grant.binding) || byKey(a.pod, b.pod);
  const aWins = holds(a) || (!holds(b) && order <= 0);
  const [won, lost] = aWins ? [a, b] : [b, a];
  problems.tell(
    'name-collision',
    { kind: 'Pod', ...lost.pod },
    `Pod ${keyOf(lost.pod)} is not assigned AzureIdentity ${keyOf(lost.grant.identity)}: the assignment would be called ${won.name} like that of pod ${keyOf(won.pod)}. Rename the pod or the identity.`,
  );
  return won;
}

function tellLong(pod: MicPod, { identity }: Grant, problems: Problems): void {
  problems.tell(
    'name-too-long',
    { kind: 'Pod', ...pod },
    `Pod ${keyOf(pod)} is not assigned AzureIdentity ${keyOf(identity)}: the assignment's name, POD-NAMESPACE-IDENTITY, would be over ${longestName} characters long. Shorten the name of the pod or of the identity.`,
  );
}
