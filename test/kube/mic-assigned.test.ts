import t from 'tap';
import { micAssigned, parseAssigned } from '../../lib/kube/mic-assigned.ts';
import { assignmentFinalizer } from '../../lib/model/assigned-object.ts';
import { identityContent } from '../../lib/model/content.ts';

const kin = { apiVersion: 'aadpodidentity.k8s.io/v1' };
const identitySpec = { type: 0, clientID: 'c', resourceID: '/r' };
/** As a MIC of the original leaves it. */
const object = {
  ...{ ...kin, kind: 'AzureAssignedIdentity' },
  metadata: {
    ...{ namespace: 'default', name: 'web-apps-i', uid: 'u', resourceVersion: '7' },
    ...{ labels: { nodename: 'n' }, finalizers: [assignmentFinalizer] },
  },
  spec: {
    azureIdentityRef: {
      ...kin,
      kind: 'AzureIdentity',
      metadata: { namespace: 'apps', name: 'i' },
      spec: identitySpec,
    },
    azureBindingRef: {
      ...kin,
      kind: 'AzureIdentityBinding',
      metadata: { namespace: 'apps', name: 'b' },
      spec: {},
    },
    ...{ pod: 'web', podNamespace: 'apps', nodename: 'n', replicas: null },
  },
  status: { status: 'Assigned', availableReplicas: 1 },
};

t.test('reads what the original has written', async (t) => {
  t.match(parseAssigned(object), {
    ...{ namespace: 'default', name: 'web-apps-i', uid: 'u', resourceVersion: '7' },
    ...{ podNamespace: 'apps', pod: 'web', node: 'n', label: 'n', state: 'Assigned' },
    identity: { namespace: 'apps', name: 'i', clientId: 'c', resourceId: '/r' },
    identityContent: identityContent(identitySpec, false),
    binding: { namespace: 'apps', name: 'b' },
    ...{ hasFinalizer: true, deleting: false, machine: '' },
  });
  t.match(parseAssigned({ ...object, status: {} }), { state: '' }, 'of before 1.5');
});

t.test('reads the annotations; a time that is none is not there', async (t) => {
  const prefix = 'aadpodidentity.k8s.io';
  const marks = (annotations: object) =>
    parseAssigned({ ...object, metadata: { ...object.metadata, annotations } });
  t.match(
    marks({
      [`${prefix}/machine`]: '/m',
      [`${prefix}/unassign-since`]: '2026-01-02T00:00:00.123000Z',
      [`${prefix}/last-used`]: '2026-01-01T00:00:00Z',
    }),
    { machine: '/m', unassignSinceMs: Date.UTC(2026, 0, 2) + 123, lastUsedMs: Date.UTC(2026, 0, 1) },
  );
  t.match(marks({ [`${prefix}/unassign-since`]: 'soon' }), { unassignSinceMs: undefined });
});

t.test('takes what it cannot understand for something to mend, never for nothing', async (t) => {
  t.match(parseAssigned({ ...object, status: { status: 'Perhaps' } }), { state: 'Created' });
  for (const azureIdentityRef of [undefined, null, 7, {}, { metadata: { name: 'No!' } }]) {
    const odd = { ...object, spec: { ...object.spec, azureIdentityRef } };
    t.match(parseAssigned(odd), {
      pod: 'web',
      identity: { name: '', type: -1 },
      identityContent: 'unreadable',
    });
  }
});

t.test('keeps once what many have in common, and apart what differs', async (t) => {
  const { parse } = micAssigned();
  const other = { ...object, metadata: { ...object.metadata, name: 'web2-apps-i' } };
  t.equal(parse(object)?.identity, parse(other)?.identity);
  t.equal(parse(object)?.binding, parse(other)?.binding);
  const changed = structuredClone(object);
  changed.spec.azureIdentityRef.spec.clientID = 'd';
  t.equal(parse(changed)?.identity.clientId, 'd');
});
