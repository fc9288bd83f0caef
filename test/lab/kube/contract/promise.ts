import type { Test } from 'tap';
import type { KubeClient } from '../client.ts';
import { kindNamed, pathOf } from '../kinds.ts';
import { isJson, type Json, type KubeInput, type KubeObject } from '../object.ts';
import type { Answer } from '../transport.ts';

/** One sentence about the API that must hold for the stand-in and for the real server. */
export type Promises = Readonly<Record<string, (t: Test, world: ContractWorld) => Promise<void>>>;

/** What a promise works with. Objects go into `namespace`; what has none starts its name with `prefix`. */
export interface ContractWorld {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly prefix: string;
}

export function identity(world: ContractWorld, name: string, more: Partial<KubeInput> = {}): KubeInput {
  const { metadata, ...rest } = more;
  return {
    apiVersion: 'aadpodidentity.k8s.io/v1',
    kind: 'AzureIdentity',
    metadata: { name, namespace: world.namespace, ...metadata },
    spec: { type: 0, clientID: 'c' },
    ...rest,
  };
}

/** A pod that no scheduler takes; on a node that is not there, where one is wanted. */
export function pod(world: ContractWorld, name: string, more: Partial<KubeInput> = {}): KubeInput {
  const { metadata, spec, ...rest } = more;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: world.namespace, ...metadata },
    spec: { containers: [{ name: 'c', image: 'none' }], schedulerName: 'none', ...spec },
    ...rest,
  };
}

/** No node carries its selector, so that no controller makes pods of it. */
export function daemonSet(world: ContractWorld, name: string, more: Partial<KubeInput> = {}): KubeInput {
  const template = {
    metadata: { labels: { a: 'b' } },
    spec: { nodeSelector: { [world.prefix]: 'none' }, containers: [{ name: 'c', image: 'none' }] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: world.namespace },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
    ...more,
  };
}

export const path = (world: ContractWorld, kind: string, name?: string, subresource?: string): string =>
  pathOf(kindNamed(kind), world.namespace, name, subresource);

/** Checks that an answer is a refusal in the shape of a Status. */
export function refused(t: Test, answer: Answer, status: number, reason: string, what: string): void {
  const body: Json = isJson(answer.body) ? answer.body : { text: answer.body };
  t.match(
    { status: answer.status, body },
    {
      status,
      body: {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        code: status,
        message: String,
        ...(reason ? { reason } : {}),
      },
    },
    what,
  );
  if (!reason) t.notOk(body.reason, `${what}: without a reason`);
}

export const versionOf = (object: KubeObject): number => Number(object.metadata.resourceVersion);
