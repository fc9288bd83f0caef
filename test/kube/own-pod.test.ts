import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type OwnPod, ownerIn, readOwnPod } from '../../lib/kube/own-pod.ts';
import { podToken, tokenWith } from '../lab/kube/pod-token.ts';

const pod: OwnPod = { namespace: 'kube-system', name: 'nmi-x2x7k', uid: 'u1' };
const token = podToken(pod);

/** The pod that a kubeconfig with this user names. */
function podOf(t: Test, user: object, files: Record<string, string> = {}): Promise<OwnPod | undefined> {
  const path = join(t.testdir(files), 'kubeconfig');
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443' } }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(path, JSON.stringify(config));
  return readOwnPod({ kind: 'kubeconfig', path });
}

t.test('knows its pod by the token of the service account', async (t) => {
  const dir = t.testdir({ token: `${token}\n`, 'ca.crt': 'none' });
  t.same(await readOwnPod({ kind: 'in-cluster', host: '10.0.0.1', port: '443', dir }), pod);
});

t.test('knows its pod by such a token in a kubeconfig, or in the file that this names', async (t) => {
  t.same(await podOf(t, { token }), pod);
  t.same(await podOf(t, { tokenFile: 'token-file' }, { 'token-file': token }), pod);
});

t.test('is in no pod with credentials that name none', async (t) => {
  const bound = { namespace: 'kube-system', pod: { name: 'nmi-x', uid: 'u1' } };
  const nobody: Record<string, object> = {
    'no token': {},
    'a password': { username: 'a', password: token },
    'a token without claims': { token: 'nmi-token' },
    'a token that is not JSON': { token: 'a.b.c' },
    'claims that are null': { token: tokenWith(null) },
    'claims that are a list': { token: tokenWith([bound]) },
    'no claims of Kubernetes': { token: tokenWith({ sub: 'me' }) },
    "a secret's token, as before 1.21": {
      token: tokenWith({ 'kubernetes.io/serviceaccount/namespace': 'kube-system' }),
    },
    'a token that is bound to no pod': {
      token: tokenWith({ 'kubernetes.io': { namespace: 'kube-system' } }),
    },
    'a pod without a UID': { token: tokenWith({ 'kubernetes.io': { ...bound, pod: { name: 'nmi-x' } } }) },
    'no namespace': { token: tokenWith({ 'kubernetes.io': { pod: bound.pod } }) },
    'a name of another type': {
      token: tokenWith({ 'kubernetes.io': { ...bound, pod: { name: 7, uid: 'u' } } }),
    },
    'a name that is a path': {
      token: tokenWith({ 'kubernetes.io': { ...bound, pod: { name: '../secrets/x', uid: 'u' } } }),
    },
    'a namespace that is a query': { token: tokenWith({ 'kubernetes.io': { ...bound, namespace: 'a?b' } }) },
  };
  for (const [what, user] of Object.entries(nobody)) t.equal(await podOf(t, user), undefined, what);
});

t.test('cannot tell while the token cannot be read, and quotes nothing of it', async (t) => {
  await t.rejects(podOf(t, { tokenFile: 'not-there' }), { code: 'kubeconfig-unusable', message: /ENOENT/ });
});

const reference = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'nmi', uid: 'd1', controller: true };
const owned = (...ownerReferences: readonly object[]): unknown => ({
  metadata: { name: pod.name, namespace: pod.namespace, uid: pod.uid, ownerReferences },
});

t.test('takes for its DaemonSet the one that controls its pod', async (t) => {
  const daemonset = { kind: 'daemonset', name: 'nmi', uid: 'd1' };
  t.same(ownerIn(owned(reference), pod), daemonset);
  const another = { ...reference, name: 'other', controller: false };
  t.same(ownerIn(owned(another, reference), pod), daemonset);
});

t.test('tells whose pod it is when that is no DaemonSet', async (t) => {
  const rows: readonly (readonly [readonly object[], string | undefined])[] = [
    [[], undefined],
    [[{ ...reference, controller: false }], undefined],
    [[{ ...reference, apiVersion: 'batch/v1', kind: 'Job', name: 'once' }], 'Job once'],
    [[{ ...reference, apiVersion: 'example.com/v1' }], 'DaemonSet nmi'],
    [[{ ...reference, kind: 'ReplicaSet', name: 'nmi-5d' }], 'ReplicaSet nmi-5d'],
  ];
  for (const [references, owner] of rows)
    t.strictSame(ownerIn(owned(...references), pod), { kind: 'other', owner }, JSON.stringify(references));
});

t.test('takes a later pod of the same name for another one', async (t) => {
  t.equal(ownerIn(owned(reference), { ...pod, uid: 'u0' }), undefined);
  t.equal(ownerIn('garbage', pod), undefined);
});
