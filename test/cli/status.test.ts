import t, { type Test } from 'tap';
import type { Summary } from '../../lib/cli/status/summary.ts';
import { eventually } from '../lab/eventually.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { exceptionObject } from '../lab/objects.ts';
import { type CliRig, call, cliRig } from './rig.ts';
import {
  aMic,
  anAgent,
  anAssignment,
  aPodObject,
  binding,
  clientId,
  identity,
  managed,
  put,
  standard,
  web,
  withSpec,
} from './scene.ts';

const label = { aadpodidbinding: 'web' };

function aNode(name: string, labels: Readonly<Record<string, string>> = {}): KubeInput {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
}

async function sceneOf(t: Test, cluster: readonly KubeInput[]): Promise<CliRig> {
  const rig = await cliRig(t);
  put(rig.api, cluster);
  return rig;
}

const served = [standard, aMic(), web, binding, identity, anAssignment('Assigned')];

t.test('tells that all is well', async (t) => {
  const { podid } = await sceneOf(t, [
    aNode('node1'),
    aNode('win', { 'kubernetes.io/os': 'windows' }),
    ...served,
  ]);
  const { status, stdout, stderr } = await podid(['status']);
  t.same({ status, stderr }, { status: 0, stderr: '' });
  t.equal(
    stdout,
    `Nodes: 1, 1 with an agent that is ready; standard mode (the flags of pod kube-system/nmi-node1)
NODE    AGENT                   VERSION   RULES
node1   kube-system/nmi-node1   0.1.0     ready

MIC: 1 of 1 ready
POD                 NODE    VERSION   STATE
kube-system/mic-0   node1   0.1.0     ready

Identities: 1; assigned: 1 Assigned, 0 Created, 0 Unassigned
IDENTITY    TYPE               CLIENT ID                              BINDINGS
apps/demo   managed identity   ${clientId}   apps/demo-binding

Pods: 1 with an identity, 0 waiting, 0 denied, 0 excepted
`,
  );
});

t.test('names the nodes and pods that are without, with the reason', async (t) => {
  const notReady = { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }] };
  const args = ['--operation-mode=managed'];
  const { podid } = await sceneOf(t, [
    ...[aNode('node1'), aNode('node2'), aNode('node3'), managed, anAgent('node2', args, notReady)],
    ...[web, binding, aPodObject('lost', 'apps', { labels: { aadpodidbinding: 'lost' } })],
    ...[exceptionObject('agents', 'apps', { app: 'agent' }), withSpec(identity, { clientID: '' })],
    aPodObject('agent', 'apps', { labels: { ...label, app: 'agent' } }),
    aPodObject('host', 'apps', { labels: label, spec: { hostNetwork: true } }),
    aPodObject('done', 'apps', { labels: label, status: { phase: 'Succeeded', containerStatuses: [] } }),
  ]);
  const { status, stdout } = await podid(['status']);
  t.equal(status, 3);
  t.match(stdout, /^Nodes: 3, 1 with an agent that is ready; managed mode/);
  t.match(stdout, /^node2 +kube-system\/nmi-node2 +0\.1\.0 +not ready: ContainersNotReady$/m);
  t.match(stdout, /^node3 +- +- +no agent$/m);
  t.notMatch(stdout, 'MIC:', 'managed mode has none');
  t.match(stdout, /^apps\/demo +managed identity +none +apps\/demo-binding$/m);
  t.match(stdout, /^Pods: 0 with an identity, 0 waiting, 2 denied, 1 excepted$/m);
  t.match(stdout, /^apps\/lost +node1 +denied +Pod apps\/lost has the label aadpodidbinding=lost, but no /m);
});

t.test('its help tells of which namespaces it speaks', async (t) => {
  const { stdout } = await call(['status', '--help']);
  t.match(stdout, /--namespace.*\n? .*all namespaces unless given/);
  t.notMatch(stdout, 'else `default`');
});

t.test('tells programs the same as data', async (t) => {
  const { json, podid } = await sceneOf(t, [aNode('node1'), ...served.slice(0, -1), anAssignment('Created')]);
  const summary = (await json(['status'])) as Summary;
  t.match(summary, {
    mode: { operationMode: 'standard', namespaced: false },
    nodes: [{ node: 'node1', ready: true, agents: [{ pod: 'kube-system/nmi-node1', version: '0.1.0' }] }],
    mic: [{ pod: 'kube-system/mic-0', ready: true }],
    identities: [{ identity: 'apps/demo', type: 0, clientId, bindings: ['apps/demo-binding'] }],
    assigned: { Assigned: 0, Created: 1, Unassigned: 0 },
    pods: { served: 0, without: [{ pod: 'apps/web', decision: 'wait', code: 'not-assigned' }] },
    untold: [],
  });
  t.match(await podid(['status', '-o', 'yaml']), {
    status: 4,
    stdout: /^---\nmode:\n {2}operationMode: standard\n/,
  });
});

t.test('looks at one namespace where it is named, and at what podSelectors select', async (t) => {
  const bySelector = withSpec(binding, { selector: '', podSelector: { matchLabels: { app: 'web' } } });
  const { json } = await sceneOf(t, [
    ...[aNode('node1'), managed, bySelector, identity],
    ...[aPodObject('web', 'apps', { labels: { app: 'web' } }), aPodObject('other', 'apps')],
    aPodObject('web', 'shop', { labels: label }),
  ]);
  t.match(await json(['status', '-n', 'apps']), { pods: { served: 1, without: [] } });
  t.match(await json(['status', '-n', 'shop']), {
    identities: [],
    pods: { served: 0, without: [{ pod: 'shop/web', decision: 'deny', code: 'no-binding' }] },
  });
  t.match(await json(['status']), { pods: { served: 1, without: [{ pod: 'shop/web' }] } });
});

t.test('tells what it could not read, and the rest', async (t) => {
  const { api, podid, json } = await sceneOf(t, [aNode('node1'), ...served]);
  await api.fault({ hide: ['azureidentitybindings'] });
  const bare = await podid(['status']);
  t.match(bare, {
    status: 1,
    stdout: /^\? azureidentitybindings: the CRD is not installed\n\nNodes: 1, 1 with/,
  });
  await api.fault({ clear: true, hide: ['daemonsets'] });
  t.match((await podid(['status'])).stdout, '? daemonsets: the API server does not know daemonsets\n');
  const rules = [{ verbs: ['list'], groups: ['*'], resources: ['pods', 'azureidentities'] }];
  await api.fault({ clear: true, tokens: { 'admin-token': { name: 'dev', rules } } });
  const { untold, nodes } = (await json(['status'])) as Summary;
  t.match(untold, [/^nodes: no right/, /^daemonsets: no right/, /^azureidentitybindings: no right/]);
  t.match(nodes, [{ node: 'node1', ready: true }], 'nodes that have an agent are known by it');
});

t.test('says once that the API server is away, and watches on until it is back', async (t) => {
  const { api, podid } = await sceneOf(t, [aNode('node1'), ...served]);
  await api.fault({ away: true });
  t.match(await podid(['status']), {
    status: 1,
    stdout: '',
    stderr: /^podid: [^\n]*cannot be reached[^\n]*\n$/,
  });
  const end = new AbortController();
  const shown: string[] = [];
  const onOutput = (text: string): void => {
    if (shown.push(text) === 1) void api.fault({ away: false });
    else end.abort();
  };
  t.match(await podid(['status', '--watch'], { signal: end.signal, onOutput }), { status: 0 });
  t.match(shown, [/^\? nodes: .*cannot be reached/, /^Nodes: 1, 1 with an agent/]);
});

t.test('takes -A as kubectl does', async (t) => {
  const { json } = await sceneOf(t, [aNode('node1'), ...served]);
  const all = await json(['status']);
  t.same(await json(['status', '-A']), all);
  t.same(await json(['status', '-A', '-n', 'nowhere']), all);
  t.match(await json(['status', '-n', 'nowhere']), { pods: { served: 0 } });
});

t.test('states nothing of what it could not read', async (t) => {
  const { api, podid, json } = await sceneOf(t, [aNode('node1'), ...served]);
  const mayList = async (...resources: string[]): Promise<void> => {
    const rules = [{ verbs: ['list'], groups: ['*'], resources }];
    await api.fault({ clear: true, tokens: { 'admin-token': { name: 'dev', rules } } });
  };
  await mayList('nodes', 'azureidentities');
  const { status, stdout } = await podid(['status']);
  t.equal(status, 1, 'no agent was seen, which is not that there is none');
  const mode = "mode \\?, taken for standard mode \\(the agent's defaults\\)";
  t.match(stdout, new RegExp(`^Nodes: 1, \\? with an agent that is ready; ${mode}$`, 'm'));
  t.match(stdout, /^node1 +\? +\? +\?$/m);
  t.match(stdout, /^MIC: \?$/m);
  t.match(stdout, /^Identities: 1; assigned: \?$/m);
  t.match(stdout, /^apps\/demo .* \?$/m);
  t.match(stdout, /^Pods: \?$/m);
  await mayList('pods');
  t.match((await podid(['status'])).stdout, /^Nodes: \?, 1 with an agent.*\n.*\nnode1 /m);
  t.match(await json(['status']), { allNodes: false, identities: null, assigned: null, pods: null });
});

t.test('of many nodes it shows those that need a look', async (t) => {
  const names = Array.from({ length: 30 }, (_, i) => `n${String(i).padStart(2, '0')}`);
  const { podid, json } = await sceneOf(t, [
    ...names.map((name) => aNode(name)),
    ...names.slice(0, 25).map((name) => anAgent(name)),
  ]);
  const { stdout } = await podid(['status']);
  t.match(stdout, /^Nodes: 30, 25 with an agent/);
  t.equal(stdout.match(/ no agent$/gm)?.length, 5);
  t.equal(stdout.match(/^n\d\d /gm)?.length, 20);
  t.match(stdout, /^and 10 more; -o json tells all$/m);
  t.equal(((await json(['status'])) as Summary).nodes.length, 30);
});

t.test('watches, and tells only what has changed', async (t) => {
  const { api, podid } = await sceneOf(t, [aNode('node1'), ...served]);
  const end = new AbortController();
  const shown: string[] = [];
  const onOutput = (text: string): void => {
    if (shown.push(text) > 1) end.abort();
  };
  const watching = podid(['status', '--watch'], { signal: end.signal, onOutput });
  const looks = (): number => api.requests().filter(({ path }) => path.startsWith('/api/v1/nodes')).length;
  await eventually('it has looked three times', () => looks() > 3, { withinMs: 60_000 });
  api.remove('AzureAssignedIdentity', 'default', 'web-apps-demo');
  t.match(await watching, { status: 0, stderr: '' });
  t.equal(shown.length, 2);
  t.match(shown[0], 'Pods: 1 with an identity, 0 waiting');
  t.match(shown[1], 'Pods: 0 with an identity, 1 waiting');
});

t.test('ended in the middle of a look, it leaves as when it is ended between two', async (t) => {
  const { podid } = await sceneOf(t, [aNode('node1'), ...served]);
  const end = new AbortController();
  end.abort();
  t.same(await podid(['status', '--watch'], { signal: end.signal }), { status: 0, stdout: '', stderr: '' });
  const during = new AbortController();
  const ended = podid(['status', '--watch'], { signal: during.signal });
  setImmediate(() => during.abort());
  t.same(await ended, { status: 0, stdout: '', stderr: '' });
});

t.test('redraws a terminal, with progress below', async (t) => {
  const { podid } = await sceneOf(t, [aNode('node1'), ...served]);
  const end = new AbortController();
  const onOutput = (): void => void setImmediate(() => end.abort());
  const called = await podid(['status', '-w'], { terminal: true, signal: end.signal, onOutput });
  t.match(called.stdout, /^\x1b\[H\x1b\[J\x1b\[1mNodes: 1/);
  t.match(called.stderr, '\r\x1b[Klooking again every 5 s');
});
