import type { RequestRecord } from '../lab/imds/types.ts';

type Seen = Pick<RequestRecord, 'userAgent' | 'method' | 'target' | 'remoteAddress'>;

/** What pods send as User-Agent begins with this; behind it comes the pod's name. */
export const pod = 'e2e-pod/';
/** Of pods that pass as the node: hostNetwork, or excepted. */
export const asNode = 'e2e-as-node/';

/** The agent's own, and MIC's, whose pods the agent passes. */
const ours = /^pod-identity\/(NMI|MIC)\//;
/** The agent reads a document of the machine once for all pods, and names none of them. Every pod here has a name. */
const shared = ({ userAgent, target }: Seen): boolean =>
  userAgent === '' && target.startsWith('/metadata/instance?');

/**
 * The requests in IMDS's log that nobody may have sent: a pod's that passed by the agent. Everything that an agent asks on
 * a pod's behalf has the agent's User-Agent, or is of a pod that passes as the node.
 */
export function passedBy(requests: readonly Seen[]): string[] {
  return requests
    .filter((seen) => !shared(seen) && !ours.test(seen.userAgent) && !seen.userAgent.startsWith(asNode))
    .map(
      ({ userAgent, method, target, remoteAddress }) =>
        `${userAgent || 'somebody'} passed by from ${remoteAddress}: ${method} ${target}`,
    );
}
