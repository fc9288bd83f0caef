import t, { type Test } from 'tap';
import { addresses, nodeName } from '../addresses.ts';
import { eventually } from '../eventually.ts';
import { nmi } from '../kube/access.ts';
import { createLab, type Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { daemonSetObject, namespace, pods, type Served, serve } from './daemonset-scene.ts';
import { ourRules } from './scene.ts';

/**
 * What a SIGTERM leaves of the rules, for each way in which the agent's pod ends. The test is the kubelet: it sends the signal
 * as soon as the API has what a user asked for, without waiting until the agent has heard of it. One lab for all.
 */
const skip = unavailable() ?? false;
let lab: Lab;

t.before(async () => {
  if (!skip) lab = await createLab();
});

t.teardown(() => lab?.down());

t.afterEach(async () => {
  if (skip) return;
  await lab.kube.fault({ clear: true });
  await lab.kube.patch('Node', nodeName, { metadata: { labels: null }, spec: null });
});

/** Ends the agent as the kubelet does, and looks at what is left. */
async function end(
  t: Test,
  { agent, token }: Served,
  rules: 'keep' | 'withdraw',
  why: RegExp,
): Promise<void> {
  const before = await ourRules(lab);
  t.ok(before.length > 0, 'there were rules');
  t.equal(await agent.stop('SIGTERM'), 0);
  const decided = agent.logs().find(({ msg }) => msg === 'shutdown decided');
  t.match(decided, { rules, why });
  const left = await ourRules(lab);
  if (rules === 'withdraw') t.same(left, []);
  else
    t.same(
      before.filter((rule) => !left.includes(rule)),
      [],
      'all that stood still stands',
    );
  t.notOk(agent.output().includes(token.split('.')[1] ?? token), 'the token is not in the log');
}

const remove = (daemonSet: string, propagationPolicy: string): Promise<unknown> =>
  lab.kube.request('DELETE', `/apis/apps/v1/namespaces/${namespace}/daemonsets/${daemonSet}`, {
    body: { propagationPolicy },
  });

/** Way to end, what becomes of the rules, the reason in the log, and what happens before the signal. */
const ways: Readonly<
  Record<string, readonly ['keep' | 'withdraw', RegExp, (served: Served) => Promise<unknown>]>
> = {
  'a rollout': [
    'keep',
    /wants a pod on this node$/,
    async ({ daemonSet, pod }) => {
      const spec = pods({ containers: [{ name: 'nmi', image: 'newer' }] });
      await lab.kube.patch('DaemonSet', daemonSet, { spec }, { namespace });
      await lab.kube.delete('Pod', pod, { namespace });
    },
  ],
  'a pod that is deleted by force': [
    'keep',
    /wants a pod on this node$/,
    ({ pod }) => lab.kube.delete('Pod', pod, { namespace, gracePeriodSeconds: 0 }),
  ],
  'a node that is drained': [
    'keep',
    /wants a pod on this node$/,
    () => lab.kube.patch('Node', nodeName, { spec: { unschedulable: true } }),
  ],
  'a DaemonSet that is deleted': [
    'withdraw',
    /is deleted$/,
    ({ daemonSet }) => remove(daemonSet, 'Background'),
  ],
  'a DaemonSet that is deleted in the foreground': [
    'withdraw',
    /is being deleted$/,
    ({ daemonSet }) => remove(daemonSet, 'Foreground'),
  ],
  'kubectl delete -k, which takes the rights away first': [
    'withdraw',
    /can no longer be read \(403\)/,
    async ({ daemonSet, token }) => {
      await lab.kube.fault({ tokens: { [token]: { ...nmi, rules: [] } } });
      await remove(daemonSet, 'Background');
    },
  ],
  'kubectl delete -k, with the service account gone': [
    'withdraw',
    /can no longer be read \(401\)/,
    ({ token }) => lab.kube.fault({ tokens: { [token]: null } }),
  ],
  'a nodeSelector that excludes this node': [
    'withdraw',
    /wants no pod on this node/,
    ({ daemonSet }) =>
      lab.kube.patch('DaemonSet', daemonSet, { spec: pods({ nodeSelector: { pool: 'b' } }) }, { namespace }),
  ],
  'a DaemonSet that was made anew': [
    'withdraw',
    /another one has its name$/,
    async ({ daemonSet }) => {
      await remove(daemonSet, 'Background');
      await lab.kube.create(daemonSetObject(daemonSet));
    },
  ],
  'an API that is away': [
    'keep',
    /wants a pod on this node, as was heard last$/,
    () => lab.kube.fault({ away: true }),
  ],
};

for (const [way, [rules, why, act]] of Object.entries(ways)) {
  t.test(`${rules === 'keep' ? 'keeps' : 'withdraws'} the rules at ${way}`, { skip }, async (t) => {
    const served = await serve(t, lab);
    await act(served);
    await end(t, served, rules, why);
  });
}

t.test('keeps the rules while the API server swallows packets', { skip }, async (t) => {
  const served = await serve(t, lab);
  const rule = ['INPUT', '-p', 'tcp', '--dport', `${addresses.kubePort}`, '-j', 'DROP'];
  t.equal((await lab.onAzure(['iptables', '-A', ...rule])).code, 0);
  try {
    await end(t, served, 'keep', /as was heard last$/);
  } finally {
    await lab.onAzure(['iptables', '-D', ...rule]);
  }
});

t.test('withdraws the rules by what the watch told before the API went away', { skip }, async (t) => {
  const served = await serve(t, lab);
  const { agent, daemonSet } = served;
  await remove(daemonSet, 'Background');
  const heard = (): boolean =>
    agent.logs().some(({ msg, rules }) => /would do/.test(`${msg}`) && rules === 'withdraw');
  await eventually('the agent has heard', heard);
  await lab.kube.fault({ away: true });
  await end(t, served, 'withdraw', /is deleted, as was heard last$/);
});

t.test('keeps the rules when the API was away from start to end', { skip }, async (t) => {
  const served = await serve(t, lab, { unready: true, before: () => lab.kube.fault({ away: true }) });
  await end(t, served, 'keep', /has not told whether/);
});

t.test(
  'without the right to know it warns at start and withdraws, as the original did',
  { skip },
  async (t) => {
    const rules = nmi.rules.filter(({ groups }) => !groups.includes('apps'));
    const served = await serve(t, lab, {
      before: (token) => lab.kube.fault({ tokens: { [token]: { ...nmi, rules } } }),
    });
    const warned = (): boolean =>
      served.agent.logs().some(({ msg }) => /^no right to watch its own/.test(`${msg}`));
    await eventually('it has warned', warned);
    await end(t, served, 'withdraw', /no right to read its DaemonSet \(403\)/);
  },
);

t.test('does what --on-shutdown says, whatever the DaemonSet', { skip }, async (t) => {
  const kept = await serve(t, lab, { flags: { 'on-shutdown': 'keep' } });
  await remove(kept.daemonSet, 'Background');
  await end(t, kept, 'keep', /^--on-shutdown=keep$/);
  const withdrawn = await serve(t, lab, { flags: { 'on-shutdown': 'withdraw' } });
  await end(t, withdrawn, 'withdraw', /^--on-shutdown=withdraw$/);
});
