import type { KubeInput } from '../object.ts';
import { daemonSet, type Promises, path, pod, refused } from './promise.ts';

const strategic = { type: 'strategic-merge-patch' };

/** Built-in kinds: what each does beyond the rules for all. */
export const builtinPromises: Promises = {
  async 'starts a pod as Pending, whatever status it was created with'(t, world) {
    const made = await world.kube.create(
      pod(world, 'fresh', { status: { phase: 'Running', podIP: '10.1.1.1' } }),
    );
    t.match(made, {
      kind: 'Pod',
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30 },
      status: { phase: 'Pending' },
    });
    t.equal(made.status?.podIP, undefined);
    t.equal(made.metadata.generation, undefined);
  },

  async 'refuses a pod without containers or images'(t, world) {
    const post = (body: KubeInput) => world.kube.request('POST', path(world, 'Pod'), { body });
    const none = await post(pod(world, 'x', { spec: { containers: [] } }));
    refused(t, none, 422, 'Invalid', 'no containers');
    t.match(none.body, { message: 'Pod "x" is invalid: spec.containers: Required value' });
    refused(
      t,
      await post(pod(world, 'x', { spec: { containers: [{ name: 'c' }] } })),
      422,
      'Invalid',
      'no image',
    );
  },

  async 'changes the status of a pod through /status alone, and nothing of its spec there'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'doors', { spec: { nodeName: `${world.prefix}-n` } }));
    const through = await kube.patch('Pod', 'doors', { status: { phase: 'Failed' } }, { namespace });
    t.match(through.status, { phase: 'Pending' });
    const patch = {
      metadata: { labels: { via: 'status' } },
      spec: { nodeName: 'other' },
      status: { phase: 'Running' },
    };
    const status = await kube.patch('Pod', 'doors', patch, { namespace, subresource: 'status' });
    t.match(status, {
      metadata: { labels: { via: 'status' } },
      spec: { nodeName: `${world.prefix}-n` },
      status: { phase: 'Running' },
    });
    const put = await kube.update({
      ...status,
      metadata: { ...status.metadata, labels: { via: 'put' } },
      status: {},
    });
    t.match(put, { metadata: { labels: { via: 'put' } }, status: { phase: 'Running' } });
  },

  async 'keeps podIP and the first of podIPs the same'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'ips'));
    const set = (status: object) =>
      kube.patch('Pod', 'ips', { status }, { namespace, subresource: 'status' });
    t.match((await set({ podIP: '10.1.1.1' })).status, { podIPs: [{ ip: '10.1.1.1' }] });
    t.match((await set({ podIP: '10.1.1.2' })).status, { podIP: '10.1.1.2', podIPs: [{ ip: '10.1.1.2' }] });
    const two = [{ ip: '10.1.1.2' }, { ip: 'fd00::2' }];
    t.match((await set({ podIPs: two })).status, { podIP: '10.1.1.2', podIPs: two });
    t.match((await set({ podIPs: [{ ip: '10.1.1.3' }] })).status, {
      podIP: '10.1.1.2',
      podIPs: [{ ip: '10.1.1.2' }],
    });
  },

  async 'refuses to change the spec of a pod but for its images'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'fixed'));
    const image = { spec: { containers: [{ name: 'c', image: 'other' }] } };
    t.match(await kube.patch('Pod', 'fixed', image, { namespace, ...strategic }), { spec: image.spec });
    const body = { spec: { hostNetwork: true } };
    const sending = { body, contentType: 'application/merge-patch+json' };
    refused(
      t,
      await kube.request('PATCH', path(world, 'Pod', 'fixed'), sending),
      422,
      'Invalid',
      'hostNetwork',
    );
  },

  async 'merges keyed lists of built-in kinds by strategic merge'(t, world) {
    const { kube, namespace } = world;
    await kube.create(pod(world, 'merged'));
    const set = (status: object) =>
      kube.patch('Pod', 'merged', { status }, { namespace, subresource: 'status', ...strategic });
    await set({ conditions: [{ type: 'Ready', status: 'True' }] });
    await set({ conditions: [{ type: 'Other', status: 'True' }] });
    const changed = await set({ conditions: [{ type: 'Ready', status: 'False' }] });
    const conditions = changed.status?.conditions as { type: string; status: string }[];
    t.strictSame(Object.fromEntries(conditions.map((c) => [c.type, c.status])), {
      Ready: 'False',
      Other: 'True',
    });
    const fewer = await set({ conditions: [{ type: 'Ready', $patch: 'delete' }] });
    const left = fewer.status?.conditions as { type: string }[];
    t.strictSame(
      left.map((condition) => condition.type),
      ['Other'],
    );
  },

  async 'takes the status of a node at its creation and fixes its providerID'(t, world) {
    const { kube, prefix: name } = world;
    const status = { addresses: [{ type: 'InternalIP', address: '10.1.1.1' }] };
    const made = await kube.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      spec: { providerID: 'azure:///a' },
      status,
    });
    t.match(made, { metadata: { name }, status });
    t.equal(made.metadata.namespace, undefined);
    const sending = {
      body: { spec: { providerID: 'azure:///b' } },
      contentType: 'application/merge-patch+json',
    };
    refused(
      t,
      await kube.request('PATCH', `/api/v1/nodes/${name}`, sending),
      422,
      'Invalid',
      'another providerID',
    );
  },

  async 'counts the generations of a daemon set by its spec and fixes its selector'(t, world) {
    const { kube, namespace } = world;
    const made = await kube.create(daemonSet(world, 'set'));
    t.match(made, { metadata: { generation: 1 }, spec: { updateStrategy: { type: 'RollingUpdate' } } });
    t.match(made.status, { desiredNumberScheduled: 0 });
    const patch = { spec: { minReadySeconds: 1 }, status: { desiredNumberScheduled: 9 } };
    const changed = await kube.patch('DaemonSet', 'set', patch, { namespace });
    t.match(changed, { metadata: { generation: 2 }, status: { desiredNumberScheduled: 0 } });
    const sending = {
      body: { spec: { selector: { matchLabels: { b: 'c' } } } },
      contentType: 'application/merge-patch+json',
    };
    refused(
      t,
      await kube.request('PATCH', path(world, 'DaemonSet', 'set'), sending),
      422,
      'Invalid',
      'the selector',
    );
    const other = daemonSet(world, 'other', {
      spec: { ...made.spec, selector: { matchLabels: { b: 'c' } } },
    });
    refused(
      t,
      await kube.request('POST', path(world, 'DaemonSet'), { body: other }),
      422,
      'Invalid',
      'no match',
    );
  },

  async 'creates a lease by PUT and then insists on the resourceVersion'(t, world) {
    const { kube, namespace } = world;
    const lease = (spec: object, metadata: object = {}): KubeInput => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'lead', namespace, ...metadata },
      spec: { ...spec },
    });
    const first = await kube.update(lease({ holderIdentity: 'a', leaseDurationSeconds: 15 }));
    t.match(first.spec, { holderIdentity: 'a' });
    const put = (body: KubeInput) => kube.request('PUT', path(world, 'Lease', 'lead'), { body });
    refused(t, await put(lease({ holderIdentity: 'b' })), 422, 'Invalid', 'no resourceVersion');
    const { resourceVersion = '' } = first.metadata;
    await kube.update(lease({ holderIdentity: 'b' }, { resourceVersion }));
    refused(
      t,
      await put(lease({ holderIdentity: 'c' }, { resourceVersion })),
      409,
      'Conflict',
      'the second to take it',
    );
    const none = lease({ leaseDurationSeconds: 0 }, { name: 'none' });
    refused(
      t,
      await kube.request('POST', path(world, 'Lease'), { body: none }),
      422,
      'Invalid',
      'no duration',
    );
  },

  async 'keeps secrets in base64 and configmaps as they are, with PUT at any time'(t, world) {
    const { kube, namespace } = world;
    const metadata = { name: 'kept', namespace };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { a: 'b' } };
    const made = await kube.create(secret);
    t.match(made, { type: 'Opaque', data: { a: 'Yg==' } });
    t.equal(made.stringData, undefined);
    const map = (a: string): KubeInput => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a } });
    await kube.create(map('b'));
    t.match(await kube.update(map('c')), { data: { a: 'c' } });
  },

  async 'takes events about objects of their own namespace'(t, world) {
    const { kube, namespace } = world;
    const event = (about: string): KubeInput => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e.1', namespace },
      involvedObject: { kind: 'Pod', namespace: about, name: 'x' },
      reason: 'Because',
    });
    const post = (about: string) => kube.request('POST', path(world, 'Event'), { body: event(about) });
    refused(t, await post('default'), 422, 'Invalid', 'another namespace');
    t.match(await post(namespace), { status: 201 });
    t.match(await kube.patch('Event', 'e.1', { count: 2 }, { namespace, ...strategic }), {
      count: 2,
      reason: 'Because',
    });
  },
};
