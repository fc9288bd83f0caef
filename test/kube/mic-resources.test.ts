import t from 'tap';
import { listAll } from '../../lib/kube/list.ts';
import { assignedPods, micBindings, micIdentities, nodes } from '../../lib/kube/mic-resources.ts';
import { micRig } from './mic-rig.ts';

const kin = { apiVersion: 'aadpodidentity.k8s.io/v1', kind: 'AzureIdentity' };

function identity(metadata: object, spec: object = { type: 0, clientID: 'c' }): unknown {
  return {
    ...kin,
    metadata: { namespace: 'apps', name: 'i', uid: 'u', resourceVersion: '7', ...metadata },
    spec,
  };
}

function copyOf(raw: unknown): { readonly metadata: Readonly<Record<string, unknown>> } & object {
  return JSON.parse(micIdentities.parse(raw)?.json ?? 'null');
}

t.test('reads the pods that have a node, whatever their phase, and no other', async (t) => {
  const { api, connection } = await micRig(t);
  const pod = (name: string, spec: object, phase = 'Running') =>
    api.put({
      ...{
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 'apps', name, uid: name, labels: { app: 'x' } },
      },
      ...{ spec: { containers: [], ...spec }, status: { phase, podIP: '10.0.0.1' } },
    });
  pod('waits', {}, 'Pending');
  for (const phase of ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'])
    pod(phase.toLowerCase(), { nodeName: 'n' }, phase);
  const { items, dropped } = await listAll(connection, assignedPods());
  t.strictSame(
    items.map(({ name, ended }) => `${name} ${ended}`),
    ['failed true', 'pending false', 'running false', 'succeeded true', 'unknown false'],
  );
  t.strictSame(
    { ...items[2], labels: { ...items[2]?.labels } },
    {
      ...{
        namespace: 'apps',
        name: 'running',
        uid: 'running',
        node: 'n',
        labels: { app: 'x' },
        ended: false,
      },
    },
  );
  t.equal(items[0]?.labels, items[1]?.labels, 'the same labels are kept once');
  t.strictSame(dropped, []);
});

t.test('drops a pod without name, UID or node, and one with fields of wrong types', async (t) => {
  const whole = { metadata: { namespace: 'a', name: 'p', uid: 'u' }, spec: { nodeName: 'n' } };
  const { parse } = assignedPods();
  t.ok(parse(whole));
  for (const metadata of [
    { namespace: 'a', name: 'p' },
    { name: 'p', uid: 'u' },
    { ...whole.metadata, labels: { a: 1 } },
  ])
    t.equal(parse({ ...whole, metadata }), undefined);
  t.equal(parse({ ...whole, spec: {} }), undefined);
});

t.test('reads of a node where it stands in Azure', async (t) => {
  const metadata = { name: 'n' };
  t.strictSame(nodes.parse({ metadata, spec: { providerID: 'azure:///x' } }), {
    name: 'n',
    providerId: 'azure:///x',
  });
  t.strictSame(nodes.parse({ metadata }), { name: 'n', providerId: '' });
  t.equal(nodes.parse({ metadata: {} }), undefined);
});

t.test('keeps an identity whole for its copies, but for the bookkeeping of the API server', async (t) => {
  const metadata = {
    labels: { a: 'b' },
    annotations: { note: 'x' },
    managedFields: [{ manager: 'kubectl' }],
  };
  const raw = identity(metadata);
  t.match(micIdentities.parse(raw), {
    name: 'i',
    uid: 'u',
    resourceVersion: '7',
    clientId: 'c',
    content: /"clientID":"c"/,
  });
  const { managedFields: _bookkeeping, ...kept } = (raw as { metadata: { managedFields: unknown } }).metadata;
  t.strictSame(copyOf(raw), { ...(raw as object), metadata: kept });
  const { kind: _kind, apiVersion: _version, ...bare } = raw as typeof kin;
  t.match(copyOf(bare), kin, 'kind and apiVersion, which an embedded object must have');
});

t.test('leaves out metadata that would make the copies large, but never what has a meaning', async (t) => {
  const annotations = { note: 'x'.repeat(20_000), 'aadpodidentity.k8s.io/Behavior': 'namespaced' };
  const { metadata } = copyOf(identity({ annotations, labels: { a: 'b' } }));
  t.strictSame(metadata, {
    ...{ name: 'i', namespace: 'apps', uid: 'u', resourceVersion: '7' },
    annotations: { 'aadpodidentity.k8s.io/Behavior': 'namespaced' },
  });
  t.equal(micIdentities.parse(identity({}, { clientID: 'x'.repeat(20_000) })), undefined);
});

t.test(
  'has the same content for a binding whatever its metadata, and another for another spec',
  async (t) => {
    const metadata = { namespace: 'apps', name: 'b', uid: 'u', resourceVersion: '7' };
    const contentOf = (more: object, spec: object): string | undefined =>
      micBindings.parse({ metadata: { ...metadata, ...more }, spec })?.content;
    const spec = { azureIdentity: 'i', selector: 's' };
    t.equal(
      contentOf({ labels: { a: 'b' }, resourceVersion: '8' }, spec),
      contentOf({}, { ...spec, weight: 0 }),
    );
    t.not(contentOf({}, spec), contentOf({}, { ...spec, selector: 't' }));
  },
);
