import type { Metadata } from './object.ts';

/**
 * A service account token that is bound to this pod, with the claims that Kubernetes writes and no signature: the stand-in
 * knows tokens by their text.
 */
export function podToken({ name, namespace, uid }: Pick<Metadata, 'name' | 'namespace' | 'uid'>): string {
  const serviceaccount = { name: 'aad-pod-id-nmi-service-account', uid: 'sa' };
  return tokenWith({
    iss: 'https://kubernetes.default.svc.cluster.local',
    sub: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    'kubernetes.io': { namespace, pod: { name, uid }, serviceaccount },
  });
}

/** A token with any claims. */
export function tokenWith(claims: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'lab' })}.${part(claims)}.unsigned`;
}
