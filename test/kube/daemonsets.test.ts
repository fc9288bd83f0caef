import t from 'tap';
import { daemonSetNamed, isDeleting, parseDaemonSet, parseNode } from '../../lib/kube/daemonsets.ts';
import { fitsNode } from '../../lib/model/node-selector.ts';
import { daemonSet } from './own-rig.ts';

const required = (nodeSelectorTerms: unknown): object => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const selectorOf = (pods: object) => parseDaemonSet(daemonSet({}, pods))?.selector;

t.test('asks for one DaemonSet of one namespace', async (t) => {
  t.match(daemonSetNamed('kube-system', 'nmi'), {
    path: '/apis/apps/v1/namespaces/kube-system/daemonsets',
    query: { fieldSelector: 'metadata.name=nmi' },
  });
});

t.test('reads a DaemonSet', async (t) => {
  const known = { namespace: 'kube-system', name: 'nmi', uid: 'd1' };
  t.match(parseDaemonSet(daemonSet()), { ...known, deleting: false, selector: { terms: undefined } });
  t.match(parseDaemonSet(daemonSet({ deletionTimestamp: '2026-01-01T00:00:00Z' })), {
    ...known,
    deleting: true,
  });
});

t.test('reads where its pods may run, as Kubernetes would', async (t) => {
  const expression = { key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] };
  const field = { key: 'metadata.name', operator: 'In', values: ['node1'] };
  const terms = [{ matchExpressions: [expression] }, { matchFields: [field] }];
  const selector = selectorOf({ nodeSelector: { pool: 'a' }, ...required(terms) });
  t.same(selector?.terms, [
    { matchExpressions: [expression], matchFields: [] },
    { matchExpressions: [], matchFields: [field] },
  ]);
  t.equal(selector && fitsNode(selector, { name: 'node2', labels: { pool: 'a' } }), true);
  t.equal(
    selector && fitsNode(selector, { name: 'node2', labels: { pool: 'a', type: 'virtual-kubelet' } }),
    false,
  );
  t.equal(selector && fitsNode(selector, { name: 'node1', labels: {} }), false);
});

t.test('what is absent or null requires nothing; what is only preferred does not either', async (t) => {
  const preferred = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } };
  const free = [
    {},
    { nodeSelector: null, affinity: null },
    { affinity: { nodeAffinity: null } },
    { affinity: preferred },
  ];
  for (const pods of free) {
    const selector = selectorOf(pods);
    t.equal(selector && fitsNode(selector, { name: 'n', labels: {} }), true, JSON.stringify(pods));
  }
  const none = selectorOf(required(null));
  t.equal(
    none && fitsNode(none, { name: 'n', labels: {} }),
    false,
    'an affinity without terms is not absent',
  );
});

t.test('keeps a DaemonSet whose selector it cannot read, and says nothing of that', async (t) => {
  const odd = [
    { nodeSelector: 'linux' },
    { nodeSelector: { pool: 1 } },
    { affinity: [] },
    required({}),
    required(['all']),
    required([{ matchExpressions: [{ key: 'a', operator: 7 }] }]),
  ];
  for (const pods of odd)
    t.match(parseDaemonSet(daemonSet({}, pods)), { name: 'nmi', selector: undefined }, JSON.stringify(pods));
});

t.test('drops what is no DaemonSet', async (t) => {
  for (const raw of [
    undefined,
    'x',
    {},
    { metadata: { name: 'nmi', namespace: 'a' } },
    { metadata: { uid: 7 } },
  ])
    t.equal(parseDaemonSet(raw), undefined, JSON.stringify(raw));
});

t.test('reads the labels of a node, and of any object whether it is being deleted', async (t) => {
  const labels = JSON.parse('{"__proto__":"x","pool":"a"}');
  const node = parseNode({ metadata: { name: 'node1', labels } });
  t.equal(node?.name, 'node1');
  t.same(Object.keys(node?.labels ?? {}), ['__proto__', 'pool']);
  t.equal(parseNode({ metadata: { name: 'node1', labels: ['a'] } }), undefined);
  t.equal(isDeleting({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), true);
  for (const raw of [{}, { metadata: { deletionTimestamp: null } }, 'x']) t.equal(isDeleting(raw), false);
});
