import t from 'tap';
import { bindingObject, exceptionObject } from '../lab/objects.ts';
import { asked, explained, hasLines } from './explaining.ts';
import { cliRig } from './rig.ts';
import {
  aMic,
  anAssignment,
  aPodObject,
  aWarning,
  binding,
  clientId,
  identity,
  managed,
  plainPod,
  put,
  resourceId,
  standard,
  web,
  withSpec,
} from './scene.ts';

t.test('walks the whole way where a token would be given, in managed mode', async (t) => {
  const { status, stdout, stderr } = await explained(t, [managed, web, binding, identity]);
  t.same({ status, stderr }, { status: 0, stderr: '' });
  t.equal(
    stdout,
    `Pod apps/web asks for https://management.azure.com/
✓ pod        Pod apps/web is on node node1 and has the address 10.0.0.7.
✓ label      aadpodidbinding=web.
✓ binding    AzureIdentityBinding apps/demo-binding selects it.
✓ identity   AzureIdentity apps/demo: managed identity, client id ${clientId}.
- assignment Managed mode: whether the identity is on the machine of node node1 is not written down in the cluster; IMDS tells.
✓ agent      Pod kube-system/nmi-node1 on node1 (version 0.1.0) is ready; managed mode (the flags of pod kube-system/nmi-node1).
✓ token      IMDS would be asked for https://management.azure.com/ as client id ${clientId}; podid asks for no token.
A token would be given.
`,
  );
});

t.test('and in standard mode', async (t) => {
  const called = await explained(t, [standard, web, binding, identity, anAssignment('Assigned')]);
  t.equal(called.status, 0);
  hasLines(t, called, [
    '✓ assignment AzureAssignedIdentity default/web-apps-demo is Assigned.',
    '✓ agent',
    '✓ token',
  ]);
});

t.test('asks for the identity that is named, by any id, in any letter case', async (t) => {
  for (const arg of [`--client-id=${clientId.toUpperCase()}`, `--resource-id=${resourceId.toUpperCase()}`]) {
    t.match(await explained(t, [managed, web, binding, identity], { args: [arg] }), { status: 0 });
  }
});

t.test('cannot tell what only the tokens of identities tell: object ids', async (t) => {
  const called = await explained(t, [managed, web, binding, identity], { args: ['--object-id=feed'] });
  t.equal(called.status, 1);
  hasLines(t, called, [
    '? binding    the agent learns object ids from tokens, and podid asks for none',
    'Could not tell',
  ]);
  const bare = await explained(t, [managed, web], { args: ['--object-id=feed'] });
  t.equal(bare.status, 3, 'with no identity there is nothing to learn');
});

t.test('goes by a podSelector, too', async (t) => {
  const bySelector = withSpec(binding, { selector: '', podSelector: { matchLabels: { app: 'web' } } });
  const pod = aPodObject('web', 'apps', { labels: { app: 'web' } });
  const called = await explained(t, [managed, pod, bySelector, identity]);
  t.equal(called.status, 0);
  hasLines(t, called, [
    '✓ label      No label aadpodidbinding: only a podSelector can select it.',
    '✓ binding',
  ]);
});

t.test(
  'sees what the agent does not look at: an assignment that never comes for want of its identity',
  async (t) => {
    const called = await explained(t, [standard, aMic(), web, binding]);
    t.equal(called.status, 4);
    hasLines(t, called, [
      '… identity   AzureIdentityBinding demo-binding names AzureIdentity apps/demo, which does not exist.',
      '             kubectl get azureidentities -n apps',
      '… assignment AzureIdentityBinding demo-binding selects apps/web, but MIC has not made the assignment yet.',
    ]);
  },
);

t.test("offers the labels of the pod's own namespace before those of others", async (t) => {
  const others = ['a', 'b', 'c', 'd'].map((name) => bindingObject(name, `other-${name}`, 'demo', name));
  const { podid, api } = await cliRig(t);
  put(api, [standard, plainPod, identity, ...others, bindingObject('own', 'apps', 'demo', 'zz')]);
  const { stdout } = await podid(asked);
  t.same(
    stdout.match(/aadpodidbinding=\w+$/gm),
    ['zz', 'a', 'b'].map((value) => `aadpodidbinding=${value}`),
  );
});

t.test('tells what Azure says of an assignment under way', async (t) => {
  const { api, podid } = await cliRig(t);
  put(api, [standard, aMic({ conditions: [{ type: 'Ready', status: 'False', reason: 'Starting' }] })]);
  put(api, [
    web,
    binding,
    identity,
    anAssignment('Created'),
    aWarning({ kind: 'AzureIdentity', namespace: 'apps', name: 'demo' }, { message: 'not found' }),
  ]);
  const called = await podid(asked);
  t.equal(called.status, 4);
  t.match(called.stdout, /MIC is not ready: pod kube-system\/mic-0: Starting\. Trouble: not found\n/);
  t.match(called.stdout, '             kubectl describe pod mic-0 -n kube-system\n');
});

t.test('says of a pod that passes as the node that the node decides', async (t) => {
  const excepted = aPodObject('web', 'apps', { labels: { app: 'agent' } });
  const exception = exceptionObject('agents', 'apps', { app: 'agent' });
  const called = await explained(t, [managed, excepted, exception]);
  t.equal(called.status, 1);
  hasLines(t, called, [
    '✓ label      Pod apps/web is excepted by AzurePodIdentityException apps/agents and passes as the node.',
    '- binding    Not asked.',
    '? token      The metadata service answers for the node',
  ]);
  const host = await explained(t, [managed, withSpec(plainPod, { hostNetwork: true })]);
  t.equal(host.status, 1);
  hasLines(t, host, [
    '? pod        Pod apps/web shares the network of its node',
    '- label',
    '- agent',
    '? token',
  ]);
});

t.test('tells a pod that cannot ask yet, or any more', async (t) => {
  const pending = { phase: 'Pending', podIPs: [], containerStatuses: [] };
  const nodeless = aPodObject('web', 'apps', {
    labels: { aadpodidbinding: 'web' },
    node: '',
    status: pending,
  });
  const homeless = await explained(t, [managed, nodeless, binding, identity]);
  t.equal(homeless.status, 4);
  hasLines(t, homeless, ['… pod        Pod apps/web has no node yet.', '- agent      Not reached.']);
  const early = aPodObject('web', 'apps', { labels: { aadpodidbinding: 'web' }, status: pending });
  t.match(await explained(t, [managed, early, binding, identity]), {
    status: 4,
    stdout: /has no address yet/,
  });
  const done = aPodObject('web', 'apps', { status: { phase: 'Succeeded', containerStatuses: [] } });
  t.match(await explained(t, [managed, done]), { status: 3, stdout: /✗ pod .* has ended \(Succeeded\)/ });
});

t.test('waits until a token would be given, and tells for what', async (t) => {
  const { api, podid } = await cliRig(t);
  put(api, [standard, web, binding, identity, anAssignment('Created')]);
  const late = await podid([...asked, '--wait', '--timeout=4s']);
  t.match(late, { status: 4, stderr: /^waiting for pod apps\/web: AzureIdentity demo is being assigned/ });
  const ending = podid([...asked, '--wait', '--timeout=24h']);
  put(api, [anAssignment('Assigned')]);
  t.match(await ending, { status: 0, stdout: /A token would be given\.\n$/ });
});

t.test('waits on while the API server is away', async (t) => {
  const { api, podid } = await cliRig(t);
  put(api, [standard, web, binding, identity, anAssignment('Created')]);
  const onProgress = (text: string): void => {
    if (text.includes('is being assigned')) void api.fault({ away: true });
    if (!/^waiting .*cannot be reached/.test(text)) return;
    put(api, [anAssignment('Assigned')]);
    void api.fault({ away: false });
  };
  const called = await podid([...asked, '--wait', '--timeout=24h'], { onProgress });
  t.match(called, { status: 0, stderr: /waiting for pod apps\/web: .*cannot be reached/ });
});

t.test('refuses questions that make no sense', async (t) => {
  const { podid, api } = await cliRig(t);
  put(api, [managed, web]);
  const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['explain', 'deploy/web'], 2, /takes pod\/NAME, not "deploy\/web"/],
    [['explain', 'pod/..%2f'], 2, /cannot be the namespace and the name/],
    [
      ['explain', 'pod/web', '-n', '../x'],
      2,
      /--namespace is "..\/x", which is no name that Kubernetes takes/,
    ],
    [['explain', 'web', '--client-id=a', '--object-id=b'], 2, /names one identity/],
    [['explain', 'web', '--resource='], 2, /--resource is empty/],
    [['explain', 'pod/none', '-n', 'apps'], 1, /there is no pod none in namespace apps/],
  ];
  for (const [args, status, stderr] of wrong) t.match(await podid(args), { status, stdout: '', stderr });
});

t.test('lets nothing that others wrote act on the terminal', async (t) => {
  const evil = 'x\x1b[2J\u202e';
  const called = await explained(t, [
    managed,
    web,
    binding,
    withSpec(identity, { clientID: evil, resourceID: evil }),
  ]);
  t.equal(called.status, 0);
  t.notMatch(called.stdout, /[^\P{Cc}\n]|\p{Cf}/u);
});
