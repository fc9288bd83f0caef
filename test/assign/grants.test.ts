import t from 'tap';
import { aMicPod, anObject, armId, aSeenBinding, aSeenIdentity } from './making.ts';
import { planned, problems, type Scene, told } from './scene.ts';

const everyPod = { matchLabels: {}, matchExpressions: [] };
const abroad = { bindings: [aSeenBinding({ namespace: 'shared' })] };
const shared = (fields = {}): Scene => ({
  ...abroad,
  identities: [aSeenIdentity({ namespace: 'shared', ...fields })],
});
const twins: Scene = {
  bindings: [aSeenBinding({ namespace: 'b' }), aSeenBinding({ namespace: 'a' })],
  identities: [aSeenIdentity({ namespace: 'b' }), aSeenIdentity({ namespace: 'a' })],
};
const nodes = new Map([['node1', 'gce://x']]);
const created = ['create default/web-apps-demo'];

const rows: Readonly<Record<string, readonly [Scene, readonly string[], readonly string[]]>> = {
  'gives an identity of another namespace': [shared(), created, []],
  'keeps to the namespace of the pod when namespaced': [{ ...shared(), namespaced: true }, [], []],
  'makes the object in the namespace of the identity when namespaced': [
    { namespaced: true },
    ['create apps/web-apps-demo'],
    [],
  ],
  'makes it there for the annotation, too': [
    { identities: [aSeenIdentity({ namespaced: true })] },
    ['create apps/web-apps-demo'],
    [],
  ],
  'keeps an identity with the annotation to its namespace': [
    shared({ namespaced: true }),
    [],
    ['identity-refused AzureIdentityBinding shared/demo-binding'],
  ],
  'keeps an identity to the namespaces that it allows': [
    shared({ allowedNamespaces: ['shared'] }),
    [],
    ['identity-refused AzureIdentityBinding shared/demo-binding'],
  ],
  'gives it to a namespace that it allows': [shared({ allowedNamespaces: ['apps'] }), created, []],
  'selects by podSelector without the label': [
    { pods: [aMicPod({ labels: {} })], bindings: [aSeenBinding({ selector: '', podSelector: everyPod })] },
    created,
    [],
  ],
  'selects by podSelector in its own namespace alone': [
    { ...shared(), bindings: [aSeenBinding({ namespace: 'shared', selector: '', podSelector: everyPod })] },
    [],
    [],
  ],
  'wants both where podSelector and selector are given': [
    { bindings: [aSeenBinding({ selector: 'else', podSelector: everyPod })] },
    [],
    [],
  ],
  'tells of a binding that selects nothing': [
    { bindings: [aSeenBinding({ selector: '' })], pods: [aMicPod({ labels: { aadpodidbinding: '' } })] },
    [],
    ['selector-missing AzureIdentityBinding apps/demo-binding'],
  ],
  'tells of an identity that is not there': [
    { identities: [] },
    [],
    ['identity-missing AzureIdentityBinding apps/demo-binding'],
  ],
  'tells of a resource id that is none': [
    { identities: [aSeenIdentity({ resourceId: 'demo' })] },
    [],
    ['resource-id-invalid AzureIdentity apps/demo'],
  ],
  'gives a service principal without a resource id': [
    { identities: [aSeenIdentity({ type: 2, resourceId: '' })] },
    created,
    [],
  ],
  'gives a service principal where the node is no Azure machine': [
    { identities: [aSeenIdentity({ type: 1 })], nodes },
    created,
    [],
  ],
  'tells of a type that is none': [
    { identities: [aSeenIdentity({ type: 3 })] },
    [],
    ['type-unsupported AzureIdentity apps/demo'],
  ],
  'tells of an identity without a client id, and assigns it': [
    { identities: [aSeenIdentity({ clientId: '' })] },
    created,
    ['client-id-missing AzureIdentity apps/demo'],
  ],
  'tells of two identities that name one by different client ids': [
    {
      bindings: [aSeenBinding(), aSeenBinding({ name: 'next', azureIdentity: 'next' })],
      identities: [
        aSeenIdentity(),
        aSeenIdentity({ name: 'next', resourceId: armId('DEMO'), clientId: 'else' }),
      ],
    },
    [...created, 'create default/web-apps-next'],
    ['client-id-disputed AzureIdentity apps/next'],
  ],
  'tells of a node that is not there': [{ nodes: new Map() }, [], ['node-missing Node /node1']],
  'tells of a providerID that is no Azure machine': [{ nodes }, [], ['provider-id-invalid Node /node1']],
  'refuses a name that the API server would not take': [
    { pods: [aMicPod({ name: 'x'.repeat(244) })] },
    [],
    [`name-too-long Pod apps/${'x'.repeat(244)}`],
  ],
  'takes the first binding by namespace where two identities have one name, and tells': [
    twins,
    created,
    ['name-collision AzureIdentityBinding b/demo-binding'],
  ],
  'has no such collision where objects are apart': [
    { ...twins, identities: [...(twins.identities ?? [])].map((one) => ({ ...one, namespaced: true })) },
    [],
    [
      'identity-refused AzureIdentityBinding a/demo-binding',
      'identity-refused AzureIdentityBinding b/demo-binding',
    ],
  ],
  'lets the first have a name that two pods make, and tells the other': [
    {
      pods: [aMicPod({ namespace: 'apps-x' }), aMicPod({ name: 'web-apps', namespace: 'x' })],
      bindings: [aSeenBinding({ namespace: 'z' })],
      identities: [aSeenIdentity({ namespace: 'z' })],
    },
    ['create default/web-apps-x-demo'],
    ['name-collision Pod x/web-apps'],
  ],
};

for (const [promise, [scene, expected, expectedProblems]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    t.same(told(scene), expected);
    t.same(problems(scene), expectedProblems);
  });
}

t.test('lets nobody take the name of an assignment by calling a pod so', async (t) => {
  const pods = [aMicPod({ namespace: 'apps-x' }), aMicPod({ name: 'web-apps', namespace: 'x' })];
  const identity = aSeenIdentity({ namespace: 'z' });
  const bindings = [aSeenBinding({ namespace: 'z' })];
  const holder = anObject({
    pod: 'web-apps',
    podNamespace: 'x',
    identity,
    binding: bindings[0] ?? aSeenBinding(),
  });
  const scene = { pods, bindings, identities: [identity], assigned: [holder] };
  t.same(told(scene), ['vm node1 wants demo']);
  t.same(told({ ...scene, pods: pods.toReversed() }), ['vm node1 wants demo']);
  t.same(problems(scene), ['name-collision Pod apps-x/web']);
});

t.test('of two identities of one name the first is given, whatever the order of the objects', async (t) => {
  for (const flip of [false, true]) {
    const order = <T>(all: Iterable<T> = []): T[] => (flip ? [...all].reverse() : [...all]);
    const { free } = planned({ bindings: order(twins.bindings), identities: order(twins.identities) });
    t.match(free, [{ target: { identity: { namespace: 'a' }, binding: { namespace: 'a' } } }]);
  }
});

t.test('of two bindings of one identity the heavier is embedded, as NMI would choose', async (t) => {
  const bindings = [
    aSeenBinding({ name: 'a' }),
    aSeenBinding({ name: 'b', weight: 7 }),
    aSeenBinding({ name: 'c' }),
  ];
  t.match(planned({ bindings }).free, [{ target: { binding: { name: 'b' } } }]);
});

t.test('names no client id where two identities disagree about it', async (t) => {
  const bindings = [aSeenBinding(), aSeenBinding({ name: 'next', azureIdentity: 'next' })];
  const clientIds = (clientId: string) => {
    const next = aSeenIdentity({ name: 'next', resourceId: armId('demo'), clientId });
    const { machines } = planned({ bindings, identities: [aSeenIdentity(), next], assigned: [anObject()] });
    return machines.flatMap(({ wanted }) => wanted.map((one) => one.clientId));
  };
  t.same(clientIds('else'), [undefined]);
  t.same(clientIds(aSeenIdentity().clientId.toUpperCase()), [aSeenIdentity().clientId]);
});

t.test('an object says what it is for, by the label too', async (t) => {
  const [operation] = planned().free;
  t.match(operation, {
    kind: 'create',
    target: { podNamespace: 'apps', pod: 'web', node: 'node1', namespace: 'default' },
  });
});

t.test(
  'every problem says its cure in whole sentences, and nothing that a terminal would obey',
  async (t) => {
    const evil = aSeenIdentity({ resourceId: `\u001b[31m${'x'.repeat(5000)}` });
    const scenes = [...Object.values(rows).map(([scene]) => scene), { identities: [evil] }];
    for (const { message } of scenes.flatMap((scene) => planned(scene).problems)) {
      t.match(message, /^[A-Z].*[.…]$/s);
      t.notMatch(message, /\p{Cc}/u);
      t.ok(message.length < 1_024, message);
    }
  },
);
