import { identity, type Promises, path, refused, versionOf } from './promise.ts';

const merge = { contentType: 'application/merge-patch+json' };
const json = { contentType: 'application/json-patch+json' };

/** Custom resources: creating, updating, patching. */
export const objectPromises: Promises = {
  async 'gives a new object what the server owns'(t, world) {
    const stale = { uid: 'mine', generation: 7, creationTimestamp: '2020-01-01T00:00:00Z' };
    const made = await world.kube.create(identity(world, 'owned', { metadata: stale }));
    t.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
    t.match(made.metadata.resourceVersion, /^\d+$/);
    t.equal(made.metadata.generation, 1);
    t.match(made.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    t.not(made.metadata.creationTimestamp, stale.creationTimestamp);
    t.equal(made.metadata.namespace, world.namespace);
  },

  async 'makes names from generateName'(t, world) {
    const named = { metadata: { generateName: 'gen-', name: '' } };
    const [a, b] = [
      await world.kube.create(identity(world, '', named)),
      await world.kube.create(identity(world, '', named)),
    ];
    t.match(a.metadata.name, /^gen-[a-z0-9]{5}$/);
    t.not(a.metadata.name, b.metadata.name);
  },

  async 'refuses to create what is wrong, each with its own status'(t, world) {
    const { kube } = world;
    const identities = path(world, 'AzureIdentity');
    const post = (body: unknown, contentType = 'application/json') =>
      kube.request('POST', identities, { body, contentType });
    await kube.create(identity(world, 'taken'));
    refused(t, await post(identity(world, 'taken')), 409, 'AlreadyExists', 'a name that is taken');
    refused(t, await post(identity(world, '')), 422, 'Invalid', 'no name');
    refused(t, await post(identity(world, 'Bad_Name')), 422, 'Invalid', 'a name that is none');
    const label = { metadata: { labels: { 'a b': 'c' } } };
    refused(t, await post(identity(world, 'x', label)), 422, 'Invalid', 'a label key that is none');
    const longLabel = { metadata: { labels: { a: 'x'.repeat(64) } } };
    refused(t, await post(identity(world, 'x', longLabel)), 422, 'Invalid', 'a label value over 63');
    const elsewhere = { metadata: { namespace: 'default' } };
    refused(
      t,
      await post(identity(world, 'x', elsewhere)),
      400,
      'BadRequest',
      'another namespace in the body',
    );
    refused(t, await post({ metadata: { name: 'x' } }), 400, 'BadRequest', 'no kind');
    refused(
      t,
      await post({ ...identity(world, 'x'), apiVersion: 'v1' }),
      400,
      'BadRequest',
      'another apiVersion',
    );
    refused(t, await post('nonsense'), 400, 'BadRequest', 'no JSON');
    refused(t, await post([]), 400, 'BadRequest', 'an array');
    refused(t, await post(identity(world, 'x'), 'text/plain'), 415, 'UnsupportedMediaType', 'plain text');
    const versioned = { metadata: { resourceVersion: '5' } };
    refused(t, await post(identity(world, 'x', versioned)), 500, '', 'a resourceVersion');
    const nowhere = path({ ...world, namespace: `${world.prefix}-nowhere` }, 'AzureIdentity');
    const { namespace: _namespace, ...metadata } = identity(world, 'x').metadata;
    const lost = await kube.request('POST', nowhere, { body: { ...identity(world, 'x'), metadata } });
    refused(t, lost, 404, 'NotFound', 'a namespace that is not there');
  },

  async 'prunes what the schema does not know and refuses wrong types'(t, world) {
    const { kube } = world;
    const odd = identity(world, 'odd', {
      spec: { type: 0, bogus: 1, tenantID: null, metadata: { a: 1 } },
      foo: 1,
    });
    const made = await kube.create(odd);
    t.strictSame(made.spec, { type: 0, metadata: {} });
    t.equal(made.foo, undefined);
    const wrong = identity(world, 'wrong', { spec: { type: '0', clientID: 3, auxiliaryTenantIDs: null } });
    const answer = await kube.request('POST', path(world, 'AzureIdentity'), { body: wrong });
    refused(t, answer, 422, 'Invalid', 'wrong types');
    t.match(answer.body, {
      message: /spec\.type in body must be of type integer: "string"/,
      details: { name: 'wrong', group: 'aadpodidentity.k8s.io', kind: 'AzureIdentity' },
    });
    const assigned = (ref: object) => ({
      apiVersion: 'aadpodidentity.k8s.io/v1',
      kind: 'AzureAssignedIdentity',
      metadata: { name: 'assigned', namespace: world.namespace },
      spec: { azureIdentityRef: ref, nodename: 'n' },
    });
    const post = (ref: object) =>
      kube.request('POST', path(world, 'AzureAssignedIdentity'), { body: assigned(ref) });
    refused(
      t,
      await post({ metadata: { name: 'i' } }),
      422,
      'Invalid',
      'an embedded object without its kind',
    );
    const embedded = { ...identity(world, 'i'), spec: { clientID: 'c', bogus: 1 } };
    const kept = await post(embedded);
    t.match(kept, {
      status: 201,
      body: { spec: { azureIdentityRef: { metadata: { name: 'i' }, spec: { clientID: 'c' } } } },
    });
    t.notMatch(kept.body, { spec: { azureIdentityRef: { spec: { bogus: 1 } } } });
  },

  async 'updates only what the caller has seen'(t, world) {
    const { kube } = world;
    const old = await kube.create(identity(world, 'seen'));
    const put = (metadata: object, name = 'seen') =>
      kube.request('PUT', path(world, 'AzureIdentity', name), { body: identity(world, name, { metadata }) });
    refused(t, await put({}), 422, 'Invalid', 'no resourceVersion');
    refused(t, await put({ resourceVersion: '1' }), 409, 'Conflict', 'an old resourceVersion');
    const { resourceVersion = '' } = old.metadata;
    refused(t, await put({ resourceVersion, uid: 'other' }), 409, 'Conflict', 'another uid');
    refused(t, await put({ resourceVersion, name: 'b' }), 400, 'BadRequest', 'another name in the body');
    refused(t, await put({ resourceVersion }, 'absent'), 404, 'NotFound', 'no such object');
    const same = await kube.update(old);
    t.equal(same.metadata.resourceVersion, resourceVersion, 'writes nothing when nothing changes');
    const changed = await kube.update({ ...old, spec: { ...old.spec, clientID: 'd' } });
    t.ok(versionOf(changed) > versionOf(old));
    t.match(changed, { metadata: { uid: old.metadata.uid ?? '', generation: 2 }, spec: { clientID: 'd' } });
  },

  async 'keeps the status of a CR as a plain field that counts as a generation'(t, world) {
    const { kube, namespace } = world;
    const made = await kube.create(identity(world, 'plain', { status: { availableReplicas: 1 } }));
    t.match(made.status, { availableReplicas: 1 });
    const patched = await kube.patch(
      'AzureIdentity',
      'plain',
      { status: { availableReplicas: 2 } },
      { namespace },
    );
    t.match(patched, { metadata: { generation: 2 }, status: { availableReplicas: 2 } });
    const labelled = await kube.patch(
      'AzureIdentity',
      'plain',
      { metadata: { labels: { a: 'b' } } },
      { namespace },
    );
    t.equal(labelled.metadata.generation, 2, 'a label does not count');
    const status = path(world, 'AzureIdentity', 'plain', 'status');
    t.match(await kube.request('PATCH', status, { body: {}, ...merge }), { status: 404 });
    t.match(await kube.request('GET', status), { status: 404 });
  },

  async 'patches a CR by merge and by JSON patch alone'(t, world) {
    const { kube, namespace } = world;
    const made = await kube.create(
      identity(world, 'patched', { spec: { type: 0, clientID: 'c', tenantID: 't' } }),
    );
    const send = (body: unknown, contentType: string, name = 'patched') =>
      kube.request('PATCH', path(world, 'AzureIdentity', name), { body, contentType });
    const merged = await kube.patch(
      'AzureIdentity',
      'patched',
      { spec: { tenantID: null, clientID: 'd' } },
      { namespace },
    );
    t.strictSame(merged.spec, { type: 0, clientID: 'd' });
    const again = await kube.patch('AzureIdentity', 'patched', { spec: { clientID: 'd' } }, { namespace });
    t.equal(versionOf(again), versionOf(merged), 'writes nothing when nothing changes');
    const stale = { metadata: { resourceVersion: made.metadata.resourceVersion } };
    refused(t, await send(stale, merge.contentType), 409, 'Conflict', 'an old resourceVersion');
    refused(t, await send({ metadata: { uid: 'x' } }, merge.contentType), 422, 'Invalid', 'another uid');
    refused(t, await send({ metadata: { name: 'x' } }, merge.contentType), 400, 'BadRequest', 'another name');
    refused(t, await send({ spec: { type: 'x' } }, merge.contentType), 422, 'Invalid', 'a wrong type');
    refused(t, await send([], merge.contentType), 422, 'Invalid', 'a merge patch that is no object');
    refused(t, await send({}, merge.contentType, 'absent'), 404, 'NotFound', 'no such object');
    for (const type of ['application/strategic-merge-patch+json', 'application/json']) {
      refused(t, await send({}, type), 415, 'UnsupportedMediaType', type);
    }
    const operations = [
      { op: 'test', path: '/spec/clientID', value: 'd' },
      { op: 'add', path: '/metadata/labels', value: { 'a/b': '1' } },
      { op: 'replace', path: '/metadata/labels/a~1b', value: '2' },
      { op: 'add', path: '/spec/auxiliaryTenantIDs', value: ['y'] },
      { op: 'add', path: '/spec/auxiliaryTenantIDs/0', value: 'x' },
      { op: 'add', path: '/spec/auxiliaryTenantIDs/-', value: 'z' },
      { op: 'remove', path: '/spec/auxiliaryTenantIDs/1' },
      { op: 'copy', from: '/spec/clientID', path: '/spec/tenantID' },
      { op: 'move', from: '/spec/clientID', path: '/spec/adEndpoint' },
    ];
    const done = await send(operations, json.contentType);
    t.match(done, { status: 200, body: { metadata: { labels: { 'a/b': '2' } } } });
    t.match(done.body, { spec: { auxiliaryTenantIDs: ['x', 'z'], tenantID: 'd', adEndpoint: 'd', type: 0 } });
    const bad: Record<string, unknown> = {
      'a test that fails': [{ op: 'test', path: '/spec/type', value: 9 }],
      'removing what is not there': [{ op: 'remove', path: '/spec/nope' }],
      'adding where there is no parent': [{ op: 'add', path: '/no/nope', value: 1 }],
      'an operation that is none': [{ op: 'bogus', path: '/spec' }],
    };
    for (const [what, patch] of Object.entries(bad))
      refused(t, await send(patch, json.contentType), 422, 'Invalid', what);
    refused(
      t,
      await send({ op: 'test' }, json.contentType),
      400,
      'BadRequest',
      'a JSON patch that is no array',
    );
  },
};
