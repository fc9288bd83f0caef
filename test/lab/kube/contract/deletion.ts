import type { KubeInput, KubeObject } from '../object.ts';
import { type ContractWorld, daemonSet, identity, type Promises, path, pod, refused } from './promise.ts';

const finalizer = 'example.com/hold';

/** Deleting, and what holds it up. */
export const deletionPromises: Promises = {
  async 'deletes at once what nothing holds and says so with a Status'(t, world) {
    const { kube } = world;
    const made = await kube.create(identity(world, 'gone'));
    const where = path(world, 'AzureIdentity', 'gone');
    const details = {
      name: 'gone',
      group: 'aadpodidentity.k8s.io',
      kind: 'azureidentities',
      uid: made.metadata.uid ?? '',
    };
    t.match(await kube.request('DELETE', where), {
      status: 200,
      body: { kind: 'Status', status: 'Success', details },
    });
    const missing = await kube.request('GET', where);
    refused(t, missing, 404, 'NotFound', 'reading it');
    t.match(missing.body, {
      message: 'azureidentities.aadpodidentity.k8s.io "gone" not found',
      details: { name: 'gone' },
    });
    refused(t, await kube.request('DELETE', where), 404, 'NotFound', 'deleting it again');
  },

  async 'deletes only what the preconditions name'(t, world) {
    const { kube, namespace } = world;
    const { metadata } = await kube.create(identity(world, 'guarded'));
    const remove = (preconditions: object) =>
      kube.request('DELETE', path(world, 'AzureIdentity', 'guarded'), { body: { preconditions } });
    refused(t, await remove({ uid: 'other' }), 409, 'Conflict', 'another uid');
    refused(t, await remove({ resourceVersion: '1' }), 409, 'Conflict', 'an old resourceVersion');
    t.match(await remove({ uid: metadata.uid, resourceVersion: metadata.resourceVersion }), { status: 200 });
    t.equal(await kube.get('AzureIdentity', 'guarded', { namespace }), undefined);
  },

  async 'keeps an object with a finalizer until the last one goes'(t, world) {
    const { kube, namespace } = world;
    await kube.create(identity(world, 'held', { metadata: { finalizers: [finalizer] } }));
    const where = path(world, 'AzureIdentity', 'held');
    const first = await kube.request('DELETE', where);
    t.match(first, {
      status: 200,
      body: { kind: 'AzureIdentity', metadata: { deletionTimestamp: String, generation: 2 } },
    });
    t.strictSame((await kube.request('DELETE', where)).body, first.body, 'a second DELETE changes nothing');
    const more = { body: { metadata: { finalizers: [finalizer, 'example.com/more'] } } };
    const sending = { ...more, contentType: 'application/merge-patch+json' };
    refused(t, await kube.request('PATCH', where, sending), 422, 'Invalid', 'a new finalizer on its way out');
    const spec = await kube.patch('AzureIdentity', 'held', { spec: { clientID: 'still' } }, { namespace });
    t.match(spec, { spec: { clientID: 'still' }, metadata: { deletionTimestamp: String } });
    await kube.patch('AzureIdentity', 'held', { metadata: { finalizers: null } }, { namespace });
    t.equal(await kube.get('AzureIdentity', 'held', { namespace }), undefined);
  },

  async 'gives a pod on a node its grace period, which can only become shorter'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'graceful', { spec: { nodeName: `${world.prefix}-n` } }));
    const where = path(world, 'Pod', 'graceful');
    const remove = (query = '') => kube.request('DELETE', where + query);
    t.match(await remove(), {
      status: 200,
      body: { kind: 'Pod', metadata: { deletionGracePeriodSeconds: 30 } },
    });
    t.match(await remove('?gracePeriodSeconds=60'), {
      body: { metadata: { deletionGracePeriodSeconds: 30 } },
    });
    t.match(await remove('?gracePeriodSeconds=5'), { body: { metadata: { deletionGracePeriodSeconds: 5 } } });
    t.match(await kube.get('Pod', 'graceful', { namespace }), { metadata: { deletionTimestamp: String } });
    const now = await kube.request('DELETE', where, { body: { gracePeriodSeconds: 0 } });
    t.match(now, { status: 200, body: { kind: 'Pod', metadata: { deletionGracePeriodSeconds: 0 } } });
    t.equal(await kube.get('Pod', 'graceful', { namespace }), undefined);
  },

  async 'deletes a pod at once that is on no node or has ended'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'nowhere'));
    t.match(await kube.request('DELETE', path(world, 'Pod', 'nowhere')), {
      status: 200,
      body: { kind: 'Pod' },
    });
    t.equal(await kube.get('Pod', 'nowhere', { namespace }), undefined);
    await kube.create(pod(world, 'ended', { spec: { nodeName: `${world.prefix}-n` } }));
    await kube.patch(
      'Pod',
      'ended',
      { status: { phase: 'Succeeded' } },
      { namespace, subresource: 'status' },
    );
    await kube.delete('Pod', 'ended', { namespace });
    t.equal(await kube.get('Pod', 'ended', { namespace }), undefined);
  },

  async 'deletes what an object owns after it, unless it is told to orphan that'(t, world) {
    const { kube, namespace } = world;
    const remove = (name: string, propagationPolicy: string) =>
      kube.request('DELETE', path(world, 'AzureIdentity', name), { body: { propagationPolicy } });
    const owner = await kube.create(identity(world, 'background'));
    await kube.create(owned(world, 'after', owner));
    t.match(await remove('background', 'Background'), { status: 200, body: { kind: 'Status' } });
    t.equal(await kube.get('AzureIdentity', 'background', { namespace }), undefined, 'at once');
    await kube.waitFor('ConfigMap', 'after', (object) => !object, { namespace });

    const leaving = await kube.create(identity(world, 'leaving'));
    await kube.create(owned(world, 'orphan', leaving));
    const marked = { deletionTimestamp: String, finalizers: ['orphan'] };
    t.match(await remove('leaving', 'Orphan'), { status: 200, body: { metadata: marked } });
    await kube.waitFor('AzureIdentity', 'leaving', (object) => !object, { namespace });
    const orphan = await kube.get('ConfigMap', 'orphan', { namespace });
    t.same(orphan?.metadata.ownerReferences ?? [], []);
  },

  async 'marks a daemon set that is deleted in the foreground, and lets it go after what it owns'(t, world) {
    const { kube, namespace } = world;
    const set = await kube.create(daemonSet(world, 'foreground'));
    const held = owned(world, 'last', set);
    await kube.create({ ...held, metadata: { ...held.metadata, finalizers: [finalizer] } });
    const body = { propagationPolicy: 'Foreground' };
    const answer = await kube.request('DELETE', path(world, 'DaemonSet', 'foreground'), { body });
    const metadata = { deletionTimestamp: String, finalizers: ['foregroundDeletion'] };
    t.match(answer, { status: 200, body: { kind: 'DaemonSet', metadata } });
    const isMarked = (object: KubeObject | undefined): boolean => Boolean(object?.metadata.deletionTimestamp);
    await kube.waitFor('ConfigMap', 'last', isMarked, { namespace });
    t.match(await kube.get('DaemonSet', 'foreground', { namespace }), { metadata }, 'it waits');
    await kube.patch('ConfigMap', 'last', { metadata: { finalizers: null } }, { namespace });
    await kube.waitFor('DaemonSet', 'foreground', (object) => !object, { namespace });
  },

  async 'empties a namespace that is deleted and takes nothing new into it'(t, world) {
    const { kube, prefix } = world;
    const inner = { ...world, namespace: `${prefix}-doomed` };
    await kube.ensureNamespace(inner.namespace);
    await kube.create(identity(inner, 'held', { metadata: { finalizers: [finalizer] } }));
    await kube.create(identity(inner, 'free'));
    await kube.delete('Namespace', inner.namespace);
    t.match(await kube.get('Namespace', inner.namespace), { status: { phase: 'Terminating' } });
    const late = await kube.request('POST', path(inner, 'AzureIdentity'), { body: identity(inner, 'late') });
    refused(t, late, 403, 'Forbidden', 'something new');
    t.match(late.body, { details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    await kube.waitFor('AzureIdentity', 'free', (object) => !object, { namespace: inner.namespace });
    await kube.patch(
      'AzureIdentity',
      'held',
      { metadata: { finalizers: null } },
      { namespace: inner.namespace },
    );
    await kube.waitFor('Namespace', inner.namespace, (object) => !object, { withinMs: 60_000 });
    t.match(await kube.request('DELETE', '/api/v1/namespaces/default'), { status: 403 });
  },
};

/** A ConfigMap that its owner's deletion in the foreground waits for. */
function owned(world: ContractWorld, name: string, { apiVersion, kind, metadata }: KubeObject): KubeInput {
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid, blockOwnerDeletion: true };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: world.namespace, ownerReferences: [owner] },
  };
}
