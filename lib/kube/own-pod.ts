import { flag, parsing, record, records, text } from './fields.ts';
import { plainName } from './resources.ts';
import { currentCredentials, type KubeSource, loadSettings } from './settings.ts';

/** The pod that this process runs in. */
export interface OwnPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Who brings a pod back: a DaemonSet, or something else by kind and name (undefined: nobody). */
export type PodOwner =
  | { readonly kind: 'daemonset'; readonly name: string; readonly uid: string }
  | { readonly kind: 'other'; readonly owner: string | undefined };

/**
 * The pod that the API server takes us for: a service account token that is bound to a pod says which. Undefined without such
 * a token. It is read, not checked, for whoever can forge it owns this process. Throws AppError `kubeconfig-unusable`.
 */
export async function readOwnPod(source: KubeSource): Promise<OwnPod | undefined> {
  const { headers } = await currentCredentials(loadSettings(source), source);
  const [, payload] = /^Bearer [^.\s]+\.([^.\s]+)\.[^.\s]*$/.exec(headers.authorization ?? '') ?? [];
  return payload === undefined ? undefined : podInClaims(decoded(payload));
}

/** `{"kubernetes.io": {"namespace": …, "pod": {"name": …, "uid": …}, …}, …}` */
function podInClaims(claims: unknown): OwnPod | undefined {
  return parsing(claims, (raw) => {
    const own = record(raw, 'kubernetes.io');
    const pod = record(own, 'pod');
    const [namespace, name, uid] = [text(own, 'namespace'), text(pod, 'name'), text(pod, 'uid')];
    const named = plainName.test(namespace) && plainName.test(name) && uid !== '';
    return named ? { namespace, name, uid } : undefined;
  });
}

/** No error may leave: it would quote the token. */
function decoded(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** From the pod's object; undefined when that is not the pod with this UID. */
export function ownerIn(raw: unknown, { uid }: OwnPod): PodOwner | undefined {
  return parsing(raw, (object) => {
    const metadata = record(object, 'metadata');
    if (text(metadata, 'uid') !== uid) return undefined;
    const owner = records(metadata, 'ownerReferences').find((reference) => flag(reference, 'controller'));
    if (!owner) return { kind: 'other', owner: undefined };
    const [group, kind, name] = [
      text(owner, 'apiVersion').split('/')[0],
      text(owner, 'kind'),
      text(owner, 'name'),
    ];
    if (group !== 'apps' || kind !== 'DaemonSet' || !plainName.test(name))
      return { kind: 'other', owner: `${kind} ${name}` };
    return { kind: 'daemonset', name, uid: text(owner, 'uid') };
  });
}
