import { messageOf } from '../model/errors.ts';

/** What a start should make of kubenet. `why` is one sentence for an operator. */
export type KubenetVerdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'warning'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

export interface KubenetQuestions {
  /** `--kubelet-config`: the file with the kubelet's command line, `/etc/default/kubelet` on AKS. */
  readonly path: string;
  /** `--allow-network-plugin-kubenet` */
  readonly allow: boolean;
  readonly readFile: (path: string) => Promise<string>;
}

const kubenet = '--network-plugin=kubenet';

/**
 * Does the kubelet's file say kubenet, and is that allowed? The original's test: the text, anywhere in the file. It knows
 * old nodes only, since kubelets from 1.24 on have no such flag; what any node shows is told by `bridges.ts`. A file that
 * is missing, unreadable or empty (a mount of type FileOrCreate makes an empty one) proves nothing and is a warning; the
 * original ended there, or passed. Never rejects.
 */
export async function checkKubenet({ path, allow, readFile }: KubenetQuestions): Promise<KubenetVerdict> {
  if (allow) return { kind: 'ok' };
  try {
    const text = await readFile(path);
    if (text.includes(kubenet)) return { kind: 'refused', why: refusal(path) };
    return text.trim() === '' ? unknown(`${path} is empty`) : { kind: 'ok' };
  } catch (error) {
    return unknown(`${path} cannot be read (${messageOf(error)})`);
  }
}

function refusal(path: string): string {
  return (
    `this node runs kubenet (${path} has ${kubenet}), where a pod with NET_RAW can take a neighbour's address and with ` +
    'it the identity: drop NET_RAW from all pods or use --pin-neighbours, then start with --allow-network-plugin-kubenet'
  );
}

function unknown(what: string): KubenetVerdict {
  return {
    kind: 'warning',
    why: `${what}, so whether this node runs kubenet is not known: set --kubelet-config to the kubelet's file`,
  };
}
