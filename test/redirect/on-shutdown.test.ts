import t from 'tap';
import type { NodeSelector } from '../../lib/model/node-selector.ts';
import type { DaemonSet, NodeKnown, Ownership } from '../../lib/model/ownership.ts';
import { partingFor } from '../../lib/redirect/on-shutdown.ts';

const linux = { 'kubernetes.io/os': 'linux' };
const onLinux: NodeSelector = { labels: linux, terms: undefined };
const near: NodeSelector = {
  labels: {},
  terms: [{ matchExpressions: [{ key: 'a', operator: 'Near', values: [] }], matchFields: [] }],
};
const node = (labels: Readonly<Record<string, string>>): NodeKnown => ({
  kind: 'known',
  node: { name: 'node1', labels },
});

function found(
  more: Partial<DaemonSet> = {},
  at: NodeKnown = node(linux),
  namespaceDeleting = false,
): Ownership {
  const daemonset = {
    namespace: 'kube-system',
    name: 'nmi',
    uid: 'u1',
    deleting: false,
    selector: onLinux,
    ...more,
  };
  return { kind: 'found', daemonset, namespaceDeleting, node: at };
}

const daemonset = 'kube-system/nmi';
const pod = 'kube-system/nmi-x';

/** Promise, what is known, and the sentence for the log. */
const rows: readonly (readonly ['withdraw' | 'keep', promise: string, Ownership, why: RegExp])[] = [
  ['withdraw', 'outside of a pod', { kind: 'no-pod' }, /name no pod/],
  [
    'withdraw',
    'when its pod does not exist',
    { kind: 'pod-gone', pod },
    /pod kube-system\/nmi-x does not exist/,
  ],
  [
    'withdraw',
    'in a Job',
    { kind: 'other-owner', pod, owner: 'Job once' },
    /nmi-x is of Job once, not of a Dae/,
  ],
  ['withdraw', "in nobody's pod", { kind: 'other-owner', pod, owner: undefined }, /nmi-x is of nobody/],
  [
    'withdraw',
    'as the original did, without the right to know',
    { kind: 'unread', status: 403 },
    /no right .*\(403\)/,
  ],
  ['withdraw', 'when the right is taken away', { kind: 'refused', status: 403 }, /no longer be read \(403\)/],
  [
    'withdraw',
    'when the service account is deleted',
    { kind: 'refused', status: 401 },
    /\(401\), as when it is being/,
  ],
  [
    'withdraw',
    'when the DaemonSet is deleted',
    { kind: 'gone', daemonset },
    /DaemonSet kube-system\/nmi is deleted$/,
  ],
  [
    'withdraw',
    'when another DaemonSet has the name',
    { kind: 'replaced', daemonset },
    /another one has its name/,
  ],
  ['keep', 'while nothing was answered', { kind: 'unknown' }, /has not told/],
  ['keep', 'for the next pod of its DaemonSet', found(), /nmi wants a pod on this node$/],
  ['withdraw', 'when the DaemonSet is being deleted', found({ deleting: true }), /nmi is being deleted$/],
  [
    'withdraw',
    'when the namespace is being deleted',
    found({}, node(linux), true),
    /namespace of .* being deleted$/,
  ],
  [
    'withdraw',
    'on a node that the DaemonSet does not select',
    found({}, node({})),
    /wants no pod on this node/,
  ],
  ['keep', 'on a node whose labels are not known', found({}, { kind: 'unknown' }), /is not known$/],
  ['keep', 'on a node that was removed', found({}, { kind: 'gone' }), /no longer registered/],
  ['keep', 'for a selector of an unknown form', found({ selector: undefined }), /cannot be told$/],
  ['keep', 'for a selector with an unknown operator', found({ selector: near }), /cannot be told$/],
  [
    'withdraw',
    'when deleted, whatever the node',
    found({ deleting: true }, { kind: 'gone' }),
    /being deleted$/,
  ],
];

for (const [kind, promise, ownership, why] of rows) {
  t.test(`${kind === 'keep' ? 'keeps' : 'withdraws'} the rules ${promise}`, async (t) => {
    t.match(partingFor(ownership), { kind, why });
  });
}
