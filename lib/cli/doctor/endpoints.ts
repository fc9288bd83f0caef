import { podKey } from '../../model/pod.ts';
import type { Facts, SeenPod } from './facts.ts';
import { type Finding, judge, listed, type Verdict } from './finding.ts';
import { wantingIdentity } from './labels.ts';

/**
 * Environment variables by which Azure's SDKs take another way than IMDS: that of App Service, Service Fabric or Cloud Shell
 * (`IDENTITY_ENDPOINT`, `MSI_ENDPOINT`), Azure Arc (`IMDS_ENDPOINT`), or a workload identity's token file.
 */
export const misleadingVariables = [
  'MSI_ENDPOINT',
  'IDENTITY_ENDPOINT',
  'IMDS_ENDPOINT',
  'AZURE_FEDERATED_TOKEN_FILE',
] as const;

/** Pods whose SDK never asks the agent. Variables of a ConfigMap or of the image itself do not show here. */
export function checkEndpoints({ pods, bindings }: Facts): Verdict {
  return judge({ pods, bindings }, (read) => {
    const index = wantingIdentity(read.bindings);
    const misled = read.pods.filter((pod) => !pod.ended && pod.misleading.length > 0 && index.wants(pod));
    const groups = Object.groupBy(misled, ({ namespace, misleading }) => `${namespace} ${misleading}`);
    return Object.values(groups).map((group = []) => findingOf(group));
  });
}

function findingOf(pods: readonly SeenPod[]): Finding {
  const [{ namespace, misleading }] = pods as [SeenPod, ...SeenPod[]];
  const variables = misleading.join(' and ');
  const federated = misleading.includes('AZURE_FEDERATED_TOKEN_FILE');
  return {
    severity: federated ? 'note' : 'error',
    what: `${listed(pods.map(podKey))} ${pods.length > 1 ? 'have' : 'has'} ${variables} in ${pods.length > 1 ? 'their' : 'its'} environment`,
    why: federated
      ? "Azure's SDKs then try workload identity first, and come to the agent only if that fails"
      : "Azure's SDKs then ask that endpoint instead of the metadata service, and never come to the agent",
    mend: [
      `kubectl set env deployment/NAME -n ${namespace} ${misleading.map((name) => `${name}-`).join(' ')}`,
    ],
  };
}
