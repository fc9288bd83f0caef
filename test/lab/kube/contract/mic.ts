import { type ContractWorld, identity, type Promises, path, pod, refused } from './promise.ts';

const merge = { contentType: 'application/merge-patch+json' };
const time = '2026-01-02T00:00:00.000000Z';

/** What MIC relies on beside the rules for all objects. */
export const micPromises: Promises = {
  async 'lists the pods that have a node by a selector that names none'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'placed', { spec: { nodeName: `${world.prefix}-mic` } }));
    await kube.create(pod(world, 'unplaced'));
    const found = await kube.list('Pod', namespace, { fieldSelector: 'spec.nodeName!=' });
    const names = found.map(({ metadata }) => metadata.name);
    t.ok(names.includes('placed') && !names.includes('unplaced'), names.join(', '));
    const watching = kube.watch('Pod', namespace, { fieldSelector: 'spec.nodeName!=', timeoutSeconds: '1' });
    for await (const { object } of watching) t.not(object.metadata.name, 'unplaced');
  },

  async 'keeps a Lease for who read it last, without a holder, too'(t, world) {
    const { kube } = world;
    const spec = {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: time,
      renewTime: time,
      leaseTransitions: 0,
    };
    const made = await kube.create(lease(world, { spec }));
    t.match(made.spec, spec, 'times come back with their microseconds');
    refused(
      t,
      await kube.request('POST', path(world, 'Lease'), { body: lease(world, { spec }) }),
      409,
      'AlreadyExists',
      'a second one',
    );
    const { resourceVersion } = made.metadata;
    const { holderIdentity: _nobody, ...vacant } = { ...spec, leaseDurationSeconds: 1 };
    const put = (metadata: object) =>
      kube.request('PUT', path(world, 'Lease', 'mic'), { body: lease(world, { metadata, spec: vacant }) });
    t.match(await put({ resourceVersion }), { status: 200 });
    t.notOk((await kube.get('Lease', 'mic', { namespace: world.namespace }))?.spec?.holderIdentity);
    refused(t, await put({ resourceVersion }), 409, 'Conflict', 'an old resourceVersion');
    refused(t, await put({}), 422, 'Invalid', 'no resourceVersion');
    const zero = lease(world, { metadata: { name: 'zero' }, spec: { leaseDurationSeconds: 0 } });
    refused(
      t,
      await kube.request('POST', path(world, 'Lease'), { body: zero }),
      422,
      'Invalid',
      'no duration',
    );
  },

  async 'keeps annotations of Endpoints that have no addresses'(t, world) {
    const { kube, namespace } = world;
    const annotations = { 'control-plane.alpha.kubernetes.io/leader': '{"holderIdentity":"a"}' };
    await kube.create({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'mic', namespace, annotations },
    });
    t.match(await kube.get('Endpoints', 'mic', { namespace }), { metadata: { annotations } });
    refused(t, await kube.request('GET', path(world, 'Endpoints', 'none')), 404, 'NotFound', 'none');
  },

  async 'adds a key to a ConfigMap by merge patch, with or without data there'(t, world) {
    const { kube, namespace } = world;
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mic', namespace } };
    await kube.create(configMap);
    const set = (data: object) => kube.patch('ConfigMap', 'mic', { data }, { namespace });
    t.strictSame((await set({ a: '1' })).data, { a: '1' });
    t.strictSame((await set({ b: '2' })).data, { a: '1', b: '2' });
    const answer = await kube.request('POST', path(world, 'ConfigMap'), { body: configMap });
    refused(t, answer, 409, 'AlreadyExists', 'a second one');
  },

  async 'takes an assignment as MIC writes it, copies with all their metadata'(t, world) {
    const { kube } = world;
    const metadata = { labels: { a: 'b' }, annotations: { 'aadpodidentity.k8s.io/Behavior': 'namespaced' } };
    const source = await kube.create(identity(world, 'source', { metadata }));
    const { managedFields: _bookkeeping, ...kept } = source.metadata;
    const copy = { ...source, metadata: kept };
    const made = await kube.create(assignment(world, 'a', copy));
    t.strictSame(made.spec?.azureIdentityRef, copy);
    t.match(made, { status: { status: 'Created', availableReplicas: 1 }, spec: { nodename: 'n' } });
    const put = await kube.update({ ...made, spec: { ...made.spec, nodename: 'm' } });
    t.match(put, { spec: { nodename: 'm', azureIdentityRef: { spec: { clientID: 'c' } } } });
  },

  async 'patches the state of the very object and version that was read, and no other'(t, world) {
    const { kube } = world;
    const made = await kube.create(assignment(world, 'p', await kube.create(identity(world, 'p'))));
    const { uid = '', resourceVersion } = made.metadata;
    const where = path(world, 'AzureAssignedIdentity', 'p');
    const set = (given: object, annotations: object) => {
      const body = { metadata: { ...given, annotations }, status: { status: 'Assigned' } };
      return kube.request('PATCH', where, { body, ...merge });
    };
    const other = await set({ uid: 'other', resourceVersion }, {});
    t.ok([409, 422].includes(other.status), `another uid: ${other.status}`);
    const patched = await set({ uid, resourceVersion }, { 'a/x': '1', 'a/y': null });
    t.match(patched, { status: 200, body: { status: { status: 'Assigned', availableReplicas: 1 } } });
    t.match(patched.body, { metadata: { annotations: { 'a/x': '1' } } });
    refused(t, await set({ uid, resourceVersion }, {}), 409, 'Conflict', 'an old resourceVersion');
  },

  async 'lets an object go when a merge patch takes its finalizer off the version that waits'(t, world) {
    const { kube, namespace } = world;
    const held = { finalizers: ['azureassignedidentity.finalizers.aadpodidentity.k8s.io'] };
    const source = await kube.create(identity(world, 'f'));
    const made = await kube.create(assignment(world, 'f', source, held));
    const { uid, resourceVersion } = made.metadata;
    const where = path(world, 'AzureAssignedIdentity', 'f');
    const body = { preconditions: { uid, resourceVersion }, propagationPolicy: 'Background' };
    const marked = await kube.request('DELETE', where, { body });
    t.match(marked, {
      status: 200,
      body: { kind: 'AzureAssignedIdentity', metadata: { deletionTimestamp: String } },
    });
    const { metadata } = marked.body as typeof made;
    const release = { metadata: { uid, resourceVersion: metadata.resourceVersion, finalizers: [] } };
    t.match(await kube.request('PATCH', where, { body: release, ...merge }), { status: 200 });
    t.equal(await kube.get('AzureAssignedIdentity', 'f', { namespace }), undefined);
  },
};

function lease(world: ContractWorld, more: { metadata?: object; spec?: Record<string, unknown> }) {
  const metadata = { name: 'mic', namespace: world.namespace, ...more.metadata };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    ...(more.spec && { spec: more.spec }),
  };
}

function assignment(world: ContractWorld, name: string, azureIdentityRef: object, metadata: object = {}) {
  const binding = {
    apiVersion: 'aadpodidentity.k8s.io/v1',
    kind: 'AzureIdentityBinding',
    metadata: { name: 'b' },
  };
  const spec = {
    azureIdentityRef,
    azureBindingRef: { ...binding, spec: {} },
    pod: 'p',
    podNamespace: 'n',
    nodename: 'n',
  };
  return {
    apiVersion: 'aadpodidentity.k8s.io/v1',
    kind: 'AzureAssignedIdentity',
    metadata: { name, namespace: world.namespace, labels: { nodename: 'n' }, ...metadata },
    spec: { ...spec, replicas: null },
    status: { status: 'Created', availableReplicas: 1 },
  };
}
