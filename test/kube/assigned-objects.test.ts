import t from 'tap';
import type { Assignment } from '../../lib/kube/assigned-body.ts';
import { micBindings, micIdentities } from '../../lib/kube/mic-resources.ts';
import { assignmentFinalizer as finalizer } from '../../lib/model/assigned-object.ts';
import type { KubeApi } from '../lab/kube/server.ts';
import { micRig, touch } from './mic-rig.ts';

const asked = { lane: 'vmss-1', signal: new AbortController().signal };
const machine = '/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/n';
const none = { machine: '', unassignSinceMs: undefined, lastUsedMs: undefined };
const marks = { ...none, machine };
const name = 'web-apps-i';

/** An identity and its binding in the stand-in, and an assignment of them. */
function assignment(api: KubeApi, clientID = 'client'): Assignment {
  const kin = { apiVersion: 'aadpodidentity.k8s.io/v1', metadata: { namespace: 'apps' } };
  const metadata = { namespace: 'apps', name: 'i', labels: { a: 'b' } };
  const identity = api.put({ ...kin, kind: 'AzureIdentity', metadata, spec: { type: 0, clientID } });
  const bound = { azureIdentity: 'i', selector: 'web' };
  const binding = api.put({
    ...kin,
    kind: 'AzureIdentityBinding',
    metadata: { namespace: 'apps', name: 'b' },
    spec: bound,
  });
  const [copy, bindingCopy] = [micIdentities.parse(identity), micBindings.parse(binding)];
  if (!copy || !bindingCopy) throw new Error('the seeds cannot be read');
  const place = { namespace: 'default', name, podNamespace: 'apps', pod: 'web', node: 'node-1' };
  return { ...place, identity: copy, binding: bindingCopy };
}

async function created(t: Parameters<typeof micRig>[0]) {
  const rig = await micRig(t);
  const wanted = assignment(rig.api);
  t.equal(await rig.objects.create(wanted, marks, asked), 'done');
  rig.made();
  return { ...rig, wanted };
}

t.test('creates the object as the original does, with both copies whole', async (t) => {
  const { api, wanted, seen } = await created(t);
  const object = api.get('AzureAssignedIdentity', 'default', name);
  t.match(object, {
    metadata: { labels: { nodename: 'node-1' }, finalizers: [finalizer] },
    spec: { pod: 'web', podNamespace: 'apps', nodename: 'node-1' },
    status: { status: 'Created', availableReplicas: 1 },
  });
  t.strictSame(object?.spec?.azureIdentityRef, api.get('AzureIdentity', 'apps', 'i'));
  t.strictSame(object?.spec?.azureBindingRef, api.get('AzureIdentityBinding', 'apps', 'b'));
  t.match(seen(name), { state: 'Created', machine, hasFinalizer: true, label: 'node-1' });
  t.match(seen(name), { identityContent: (wanted.identity as { content?: string }).content ?? 'none' });
});

t.test('takes an object that it made without hearing of it for its own, and no other', async (t) => {
  const { api, objects, made } = await micRig(t);
  await api.fault({ answer: { count: 1, lost: true, verb: 'create' } });
  t.equal(await objects.create(assignment(api), marks, asked), 'done');
  t.strictSame(made(), ['POST 0', 'POST 409', 'GET 200']);
  t.equal(await objects.create({ ...assignment(api), pod: 'other' }, marks, asked), 'changed');
});

t.test('changes what an object says, and leaves what others have put into its metadata', async (t) => {
  const { api, objects, seen } = await created(t);
  touch(api, name, (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { mine: 'x' }, annotations: { note: 'y' } },
  }));
  const next = { ...assignment(api, 'another'), node: 'node-2' };
  t.equal(await objects.update(seen(name), next, { state: 'Created', marks: none }, asked), 'done');
  t.match(api.get('AzureAssignedIdentity', 'default', name), {
    metadata: {
      labels: { mine: 'x', nodename: 'node-2' },
      annotations: { note: 'y' },
      finalizers: [finalizer],
    },
    spec: { nodename: 'node-2', azureIdentityRef: { spec: { clientID: 'another' } } },
  });
  t.equal(seen(name).machine, '');
});

t.test('sets the state and the marks in one request, and takes marks away', async (t) => {
  const { objects, seen, made } = await created(t);
  const since = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const unassigned = {
    state: 'Unassigned',
    marks: { machine, unassignSinceMs: since, lastUsedMs: since },
  } as const;
  t.equal(await objects.setState(seen(name), unassigned, asked), 'done');
  t.match(seen(name), { state: 'Unassigned', unassignSinceMs: since, lastUsedMs: since, machine });
  t.equal(await objects.setState(seen(name), { state: 'Assigned', marks }, asked), 'done');
  t.strictSame(made(), ['PATCH 200', 'PATCH 200']);
  t.match(seen(name), { state: 'Assigned', ...marks });
});

t.test('after a conflict writes once more where the object says the same', async (t) => {
  const { api, objects, seen, made } = await created(t);
  const label = () =>
    touch(api, name, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { by: 'somebody' } },
    }));
  const before = seen(name);
  label();
  t.equal(await objects.setState(before, { state: 'Assigned', marks }, asked), 'done');
  t.strictSame(made(), ['PATCH 409', 'GET 200', 'PATCH 200']);
  const assigned = seen(name);
  label();
  t.equal(await objects.remove(assigned, asked), 'done');
  t.strictSame(made(), ['DELETE 409', 'GET 200', 'DELETE 200', 'PATCH 200']);
  t.equal(api.get('AzureAssignedIdentity', 'default', name), undefined);
});

t.test('leaves an object alone that says something else by now', async (t) => {
  const { api, objects, seen, wanted } = await created(t);
  const before = seen(name);
  touch(api, name, (object) => ({ ...object, spec: { ...object.spec, nodename: 'node-9' } }));
  const after = api.get('AzureAssignedIdentity', 'default', name);
  const standing = { state: 'Assigned', marks } as const;
  t.equal(await objects.setState(before, standing, asked), 'changed');
  t.equal(await objects.update(before, { ...wanted, node: 'node-2' }, standing, asked), 'changed');
  t.equal(await objects.remember(before, { namespace: 'default', name: 'was', marks }, asked), 'changed');
  t.equal(await objects.remove(before, asked), 'changed');
  t.strictSame(api.get('AzureAssignedIdentity', 'default', name), after);
});

t.test('never touches a successor of the same name, and never brings an object back', async (t) => {
  const { api, objects, seen, wanted } = await created(t);
  const before = seen(name);
  const standing = { state: 'Assigned', marks } as const;
  const everything = () => [
    objects.setState(before, standing, asked),
    objects.update(before, { ...wanted, node: 'node-2' }, standing, asked),
    objects.remember(before, { namespace: 'default', name: 'was', marks }, asked),
    objects.remove(before, asked),
  ];
  const outcomes = ['gone', 'gone', 'gone', 'done'];
  api.remove('AzureAssignedIdentity', 'default', name);
  t.strictSame(await Promise.all(everything()), outcomes);
  t.equal(api.get('AzureAssignedIdentity', 'default', name), undefined);
  t.equal(await objects.create(wanted, marks, asked), 'done');
  const successor = api.get('AzureAssignedIdentity', 'default', name);
  t.strictSame(await Promise.all(everything()), outcomes);
  t.strictSame(api.get('AzureAssignedIdentity', 'default', name), successor);
  t.equal(api.get('AzureAssignedIdentity', 'default', 'was'), undefined);
});

t.test('deletes and takes its finalizer off, and leaves that of another', async (t) => {
  const { api, objects, seen, made, wanted } = await created(t);
  t.equal(await objects.remove(seen(name), asked), 'done');
  t.strictSame(made(), ['DELETE 200', 'PATCH 200']);
  t.equal(api.get('AzureAssignedIdentity', 'default', name), undefined);
  t.equal(await objects.create(wanted, marks, asked), 'done');
  touch(api, name, (object) => ({
    ...object,
    metadata: { ...object.metadata, finalizers: ['example.com/hold', finalizer] },
  }));
  t.equal(await objects.remove(seen(name), asked), 'done');
  const left = api.get('AzureAssignedIdentity', 'default', name);
  t.match(left?.metadata, { deletionTimestamp: String });
  t.strictSame(left?.metadata.finalizers, ['example.com/hold']);
  made();
  t.equal(await objects.remove(seen(name), asked), 'done');
  t.strictSame(made(), ['GET 200'], 'there is nothing left for it to do');
});

t.test('remembers what an object stands for under another name, once', async (t) => {
  const { objects, seen } = await created(t);
  const copy = { namespace: 'default', name: `${name}-was-1`, marks: { ...marks, unassignSinceMs: 1_000 } };
  t.equal(await objects.remember(seen(name), copy, asked), 'done');
  t.equal(await objects.remember(seen(name), copy, asked), 'done');
  const { identity, identityContent, node } = seen(name);
  const same = { identity, identityContent, node, machine, unassignSinceMs: 1_000 };
  t.match(seen(copy.name), { ...same, state: 'Unassigned', hasFinalizer: true, label: 'node-1' });
});

t.test('is done when an answer is lost, whatever it asked for', async (t) => {
  const { api, objects, seen, wanted } = await created(t);
  const lose = (verb: string) => api.fault({ answer: { count: 1, lost: true, verb } });
  await lose('patch');
  t.equal(await objects.setState(seen(name), { state: 'Assigned', marks }, asked), 'done');
  await lose('update');
  const to = { state: 'Created', marks } as const;
  t.equal(await objects.update(seen(name), { ...wanted, node: 'node-2' }, to, asked), 'done');
  await lose('delete');
  await lose('patch');
  t.equal(await objects.remove(seen(name), asked), 'done');
  t.equal(api.get('AzureAssignedIdentity', 'default', name), undefined);
});

t.test('says so when the API server keeps less of a copy than was written', async (t) => {
  const { api, objects, seen, wanted } = await created(t);
  const copy = {
    ...JSON.parse(wanted.identity.json),
    spec: { type: 0, clientID: 'client', ofTomorrow: 'x' },
  };
  const next = { ...wanted, identity: { json: JSON.stringify(copy) } };
  t.equal(await objects.update(seen(name), next, { state: 'Created', marks }, asked), 'pruned');
  api.remove('AzureAssignedIdentity', 'default', name);
  t.equal(await objects.create(next, marks, asked), 'pruned');
});

t.test('gives up where the API server refuses for good', async (t) => {
  const { api, objects, seen, wanted } = await created(t);
  await api.fault({ answer: { count: 100, status: 403, verb: 'patch' } });
  const refused = objects.setState(seen(name), { state: 'Assigned', marks }, asked);
  await t.rejects(refused, { code: 'kube-refused', status: 403 });
  const elsewhere = objects.create({ ...wanted, namespace: 'nowhere' }, marks, asked);
  await t.rejects(elsewhere, { code: 'kube-refused', status: 404 });
  const crooked = objects.create({ ...wanted, name: 'x', node: 'no label!' }, marks, asked);
  await t.rejects(crooked, { code: 'kube-refused', status: 422 });
});
