import { fitsNode } from '../model/node-selector.ts';
import type { Ownership } from '../model/ownership.ts';

/** What becomes of the rules when the agent is told to end, and why, in one sentence. */
export interface Parting {
  readonly kind: 'withdraw' | 'keep';
  readonly why: string;
}

/**
 * Without rules a pod that asks for a token reaches IMDS itself and may take any identity of the machine. So they stay while
 * the agent is coming back, and what fails is closed; they go when nothing would ever serve behind them again.
 */
export function partingFor(ownership: Ownership): Parting {
  switch (ownership.kind) {
    case 'no-pod':
      return withdraw('the credentials of this agent name no pod, so no DaemonSet brings it back');
    case 'pod-gone':
      return withdraw(`its pod ${ownership.pod} does not exist, so no DaemonSet brings it back`);
    case 'other-owner':
      return withdraw(`its pod ${ownership.pod} is of ${ownership.owner ?? 'nobody'}, not of a DaemonSet`);
    case 'unread':
      return withdraw(`there is no right to read its DaemonSet (${ownership.status}), and never was`);
    case 'refused':
      return withdraw(
        `its DaemonSet can no longer be read (${ownership.status}), as when it is being uninstalled`,
      );
    case 'gone':
      return withdraw(`its DaemonSet ${ownership.daemonset} is deleted`);
    case 'replaced':
      return withdraw(`its DaemonSet ${ownership.daemonset} is deleted, and another one has its name`);
    case 'unknown':
      return keep('the API server has not told whether its DaemonSet wants a pod here');
    case 'found':
      return whileItIsThere(ownership);
  }
}

function whileItIsThere({
  daemonset,
  namespaceDeleting,
  node,
}: Extract<Ownership, { kind: 'found' }>): Parting {
  const { namespace, name, selector } = daemonset;
  const set = `its DaemonSet ${namespace}/${name}`;
  if (daemonset.deleting) return withdraw(`${set} is being deleted`);
  if (namespaceDeleting) return withdraw(`the namespace of ${set} is being deleted`);
  if (node.kind === 'gone') return keep('this node is no longer registered, so the rules harm nobody');
  if (node.kind === 'unknown')
    return keep(`${set} is there; whether it wants a pod on this node is not known`);
  const fits = selector && fitsNode(selector, node.node);
  if (fits === undefined) return keep(`${set} is there; whether it wants a pod on this node cannot be told`);
  return fits
    ? keep(`${set} wants a pod on this node`)
    : withdraw(`${set} wants no pod on this node: its node selector or affinity does not match`);
}

function withdraw(why: string): Parting {
  return { kind: 'withdraw', why };
}

function keep(why: string): Parting {
  return { kind: 'keep', why };
}
