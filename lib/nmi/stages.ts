import type { PassThrough } from '../metadata/pass-through.ts';
import type { Stages } from '../metadata/stages.ts';
import type { Decision } from '../model/decision.ts';
import { identityTypes } from '../model/identity.ts';
import { podKey } from '../model/pod.ts';
import type { Logger } from '../platform/log.ts';
import { explain } from '../policy/explain.ts';
import type { Hold } from '../policy/hold.ts';
import type { Broker } from '../tokens/broker.ts';
import type { ObjectIds } from '../tokens/object-ids.ts';
import type { Cluster } from './cluster.ts';

/** A request waits this long for the caches to be filled, ms: below the 10 s at which clients were seen to give up. */
const syncMs = 8_000;

export interface StageParts {
  readonly log: Logger;
  readonly cluster: Cluster;
  readonly hold: Hold;
  readonly broker: Broker;
  readonly objectIds: ObjectIds;
  readonly passThrough: PassThrough;
}

/** The stages as the listener asks them. */
export function stagesOf(parts: StageParts): Stages {
  const { log, cluster, hold, broker, objectIds, passThrough } = parts;
  const { caches, index, directory, policy } = cluster;
  return {
    callerOf: async (address, signal) => {
      const isSynced = caches.synced || (await caches.whenSynced(syncMs, signal));
      if (!isSynced) return { kind: 'not-synced' };
      return address === undefined ? { kind: 'unknown' } : directory.at(address, signal);
    },
    podNamed: async (namespace, name, signal) =>
      (await caches.whenSynced(syncMs, signal)) ? directory.named(namespace, name) : { kind: 'not-synced' },
    decide: (pod, request) => policy.decide(pod, request),
    decideForHost: (pod, request) => policy.decideForHost(pod, request),
    learnObjectIds: async (pod, resource, asker) => {
      const managed = policy.identitiesOf(pod).filter(({ type }) => type === identityTypes.managedIdentity);
      const unknown = managed.filter((identity) => objectIds.of(identity) === undefined);
      await Promise.allSettled(unknown.map((identity) => broker.get(identity, resource, asker)));
    },
    hold: async (pod, look, ms, signal) => {
      log.debug({ pod: podKey(pod), ms }, 'request waits for its identity');
      // A pod that came back under its name is another: nothing is left to wait for. One that the watch has not brought yet waits.
      const now = (): Decision => {
        const current = index.get(podKey(pod)) ?? pod;
        return current.uid === pod.uid ? look(current) : { kind: 'deny', why: { code: 'no-label' } };
      };
      await hold.until(now, ms, signal);
    },
    exceptionOf: (pod) => policy.exceptionOf(pod),
    explain,
    token: (identity, resource, asker) => broker.get(identity, resource, asker),
    passThrough,
  };
}
