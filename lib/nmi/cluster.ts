import type { NmiConfig } from '../config/nmi-flags.ts';
import { Caches } from '../kube/caches.ts';
import type { Connection } from '../kube/connection.ts';
import { listOnce } from '../kube/list.ts';
import {
  azureAssignedIdentities,
  azureIdentities,
  azureIdentityBindings,
  azurePodIdentityExceptions,
  podsOfNode,
} from '../kube/resources.ts';
import { messageOf } from '../model/errors.ts';
import type { AzureIdentity } from '../model/identity.ts';
import type { Logger } from '../platform/log.ts';
import type { NmiMetrics } from '../platform/metrics.ts';
import { Arrivals } from '../pods/arrivals.ts';
import { Directory } from '../pods/directory.ts';
import { LiveLook } from '../pods/live-look.ts';
import { PodIndex } from '../pods/pod-index.ts';
import { AssignedIdentities, Bindings, Identities } from '../policy/books.ts';
import type { CandidatesOf } from '../policy/candidates.ts';
import { Exceptions } from '../policy/exceptions.ts';
import { managedCandidates } from '../policy/managed.ts';
import { Policy } from '../policy/policy.ts';
import { standardCandidates } from '../policy/standard.ts';

/** For a live list of this node's pods, on a request's path, ms. */
const liveLookMs = 2_000;

export interface ClusterOptions {
  readonly config: NmiConfig;
  readonly connection: Connection;
  readonly log: Logger;
  readonly metrics: NmiMetrics;
  /** When this node came up, ms since the epoch, where that is known. */
  readonly bootedAt: number | undefined;
  readonly objectIdOf: (identity: AzureIdentity) => string | undefined;
  readonly onChange: () => void;
}

/** What the agent knows of the cluster, kept up to date while `caches` runs. */
export interface Cluster {
  readonly caches: Caches;
  readonly index: PodIndex;
  readonly directory: Directory;
  readonly policy: Policy;
}

export function clusterOf(options: ClusterOptions): Cluster {
  const { connection, log, metrics, onChange } = options;
  const onEvent = (event: string): void => {
    if (event === 'failed') metrics.kubeErrors.inc({ operation_type: 'watch' });
  };
  const caches = new Caches({ connection, random: Math.random, log, onEvent, onChange });
  const arrivals = new Arrivals(connection.clock);
  const index = new PodIndex((ip) => arrivals.came(ip));
  return {
    caches,
    index,
    directory: directoryOf(options, caches, { index, arrivals }),
    policy: policyOf(options, caches),
  };
}

/** pods: who is calling? */
function directoryOf(
  { config, connection, log, metrics, bootedAt }: ClusterOptions,
  caches: Caches,
  { index, arrivals }: { readonly index: PodIndex; readonly arrivals: Arrivals },
): Directory {
  const pods = podsOfNode(config.node, bootedAt);
  caches.add(pods, index);
  return new Directory({
    clock: connection.clock,
    ...{ index, arrivals },
    fresh: () => caches.isFresh(pods.name),
    live: new LiveLook({
      clock: connection.clock,
      list: () => {
        log.debug({}, 'live pod list begins');
        return listOnce(connection, pods, { deadlineMs: liveLookMs });
      },
      onFailure: (error) => {
        metrics.kubeErrors.inc({ operation_type: 'get_pod_list' });
        log.warn({ why: messageOf(error) }, 'live pod list failed');
      },
    }),
  });
}

/** policy: what may it have? */
function policyOf({ config, objectIdOf }: ClusterOptions, caches: Caches): Policy {
  const managed = config.operationMode === 'managed';
  const namespaced = managed || config.forceNamespaced;
  const exceptions = new Exceptions();
  const bindings = new Bindings();
  caches.add(azurePodIdentityExceptions, exceptions);
  caches.add(azureIdentityBindings, bindings);
  const candidatesOf = managed ? managedBooks(bindings, caches) : standardBooks(config, bindings, caches);
  const micNamespace = managed ? undefined : config.micNamespace;
  const aksAddOns = config.aksAddonException;
  return new Policy({ exceptions, candidatesOf, namespaced, objectIdOf, micNamespace, aksAddOns });
}

function managedBooks(bindings: Bindings, caches: Caches): CandidatesOf {
  const identities = new Identities();
  caches.add(azureIdentities, identities);
  return managedCandidates(bindings, identities);
}

function standardBooks(config: NmiConfig, bindings: Bindings, caches: Caches): CandidatesOf {
  const assigned = new AssignedIdentities();
  caches.add(azureAssignedIdentities(config.enableScaleFeatures ? config.node : undefined), assigned);
  return standardCandidates(assigned, bindings, { namespaced: config.forceNamespaced });
}
