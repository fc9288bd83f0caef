import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../lib/platform/clock.ts';
import { builtins } from './builtins.ts';
import { timestamp } from './deletion.ts';
import { kindNamed } from './kinds.ts';
import type { KubeInput, KubeObject } from './object.ts';
import type { Store } from './store.ts';

/**
 * Writes an object as it is, status included, as kubelet, controllers and restored backups leave them behind. Only what
 * no object lacks is filled in; an object that exists keeps its uid. Makes the namespace when it is missing.
 */
export function putDirect(store: Store, clock: Clock, input: KubeInput): KubeObject {
  const kind = kindNamed(input.kind);
  const { name = '', ...given } = structuredClone(input.metadata);
  if (!name) throw new Error(`${input.kind}: put needs a name`);
  const namespace = kind.namespaced ? (given.namespace ?? 'default') : undefined;
  if (namespace && !store.get(kindNamed('Namespace'), undefined, namespace)) {
    putDirect(store, clock, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  }
  const old = store.get(kind, namespace, name)?.metadata;
  const metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    uid: old?.uid ?? randomUUID(),
    creationTimestamp: old?.creationTimestamp ?? timestamp(clock.now()),
    ...(kind.generation ? { generation: (old?.generation ?? 0) + 1 } : {}),
    ...given,
  };
  const object: KubeObject = { ...structuredClone(input), metadata };
  if (kind.kind === 'Namespace') builtins.Namespace?.prepare?.(object);
  return store.put(kind, object);
}
