import t from 'tap';
import { eventBody } from '../../lib/kube/event-body.ts';

const pod = { uid: 'uid-web', namespace: 'apps', name: 'web' };

/** The body as it goes over the wire. */
function sent(message: string): { readonly message: string } & Readonly<Record<string, unknown>> {
  const event = { type: 'Warning', reason: 'NoBinding', message } as const;
  return JSON.parse(JSON.stringify(eventBody(pod, event, { node: 'node-1', now: Date.UTC(2026, 0, 2) })));
}

t.test('is an Event on the pod, of the component that the original had, from this node', async (t) => {
  const time = '2026-01-02T00:00:00.000000Z';
  t.same(sent('Something is missing.'), {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: 'apps', generateName: 'web.' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'apps', name: 'web', uid: 'uid-web' },
    type: 'Warning',
    reason: 'NoBinding',
    message: 'Something is missing.',
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component: 'aadpodidentity.k8s.io', host: 'node-1' },
    reportingComponent: 'aadpodidentity.k8s.io',
    reportingInstance: 'node-1',
  });
});

t.test('holds 1,024 bytes of message at most, and whole characters', async (t) => {
  const table: [string, string][] = [
    ['a'.repeat(1_024), 'a'.repeat(1_024)],
    ['a'.repeat(1_025), `${'a'.repeat(1_021)}…`],
    ['é'.repeat(512), 'é'.repeat(512)],
    ['é'.repeat(513), `${'é'.repeat(510)}…`],
    ['😀'.repeat(300), `${'😀'.repeat(255)}…`],
  ];
  for (const [long, cut] of table) {
    const { message } = sent(long);
    t.equal(message, cut);
    t.ok(Buffer.byteLength(message) <= 1_024);
  }
});

t.test('has nothing in its message that a terminal acts on', async (t) => {
  t.equal(sent('a\u001b[2J\nb\u202ec\u2028d\ud800e').message, 'a?[2J?b?c?d?e');
});
