import t, { type Test } from 'tap';
import { addresses } from '../addresses.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { nmi } from '../kube/access.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { bindingObject } from '../objects.ts';
import { ask, askers, ourRules, scene, tokenUrl } from './scene.ts';

/** The Kubernetes API away, or not what the agent needs: while it runs, and at its first start. One lab for all. */
const skip = unavailable() ?? false;
const crds = ['azureidentities', 'azureidentitybindings', 'azurepodidentityexceptions'];
let lab: Lab;
let agent: Agent;

t.before(async () => {
  if (skip) return;
  ({ lab, agent } = await scene(t));
  await agent.ready();
  await lab.kube.delete('Pod', 'plain', { gracePeriodSeconds: 0 });
  await eventually('one pod is unknown', async () => (await ask(lab, 'plain')).status === 404);
});

t.afterEach(async () => {
  if (!skip) await lab.kube.fault({ clear: true });
});

/** The agent anew, as on a node that comes up while the API server is not as it should be. */
async function startAnew(): Promise<void> {
  await agent.stop('SIGKILL');
  agent = lab.startAgent();
  await eventually('the redirect stands', () => agent.output().includes('serving pods'));
}

/** A 404 before a client gives up, until a live look has failed: that nobody has an address is remembered for 1 s. */
async function unknownIsRefused(t: Test): Promise<void> {
  const failures = (): number => agent.logs().filter(({ msg }) => msg === 'live pod list failed').length;
  const before = failures();
  await eventually('a live look has failed', async () => {
    t.equal((await ask(lab, 'plain', tokenUrl, '--max-time', '8')).status, 404);
    return failures() > before;
  });
}

/** What `/readyz` says once every cache has been tried. */
async function notReady(): Promise<string> {
  const told = async (): Promise<{ body: string } | undefined> => {
    const answer = await agent.probed('/readyz');
    return answer.status === 503 && !/not read yet|rules/.test(answer.body) ? answer : undefined;
  };
  const { body } = await eventually('the reason is told', told, { withinMs: 60_000, everyMs: 200 });
  return body;
}

t.test('without the API server known pods are served, unknown ones refused at once', { skip }, async (t) => {
  await lab.kube.fault({ away: true });
  await eventually('the agent has noticed', () => agent.output().includes('kubernetes watch interrupted'));
  t.equal((await ask(lab, 'demo')).status, 200);
  const other = tokenUrl.replace('vault.azure.net', 'storage.azure.com');
  t.equal((await ask(lab, 'demo', other)).status, 200, 'also for what is not cached');
  await unknownIsRefused(t);
  t.same(await askers(lab), [addresses.node]);

  await lab.kube.delete('AzureIdentityBinding', 'demo');
  await lab.kube.fault({ away: false });
  await eventually('it has caught up by itself', async () => (await ask(lab, 'demo')).status === 400);
  await lab.kube.apply(bindingObject('demo', 'default', 'demo', 'demo'));
  await eventually('it hears of the binding', async () => (await ask(lab, 'demo')).status === 200);
});

t.test('an API server that swallows packets delays only callers that nobody knows', { skip }, async (t) => {
  const rule = ['INPUT', '-p', 'tcp', '--dport', `${addresses.kubePort}`, '-j', 'DROP'];
  t.equal((await lab.onAzure(['iptables', '-A', ...rule])).code, 0);
  try {
    t.equal((await ask(lab, 'demo', tokenUrl, '--max-time', '1')).status, 200);
    await unknownIsRefused(t);
  } finally {
    await lab.onAzure(['iptables', '-D', ...rule]);
  }
});

t.test(
  'started without CRDs it guards, says what is missing, and goes on when they come',
  { skip },
  async (t) => {
    await lab.kube.fault({ hide: crds });
    await startAnew();
    const reason = await notReady();
    for (const crd of crds) t.match(reason, new RegExp(`^${crd}: the CRD is not installed$`, 'm'));
    t.equal((await agent.probed('/healthz')).status, 200);
    const rules = await ourRules(lab);
    t.ok(rules.some((rule) => rule.includes('aad-metadata-guard') && rule.includes('DROP')));
    t.ok(rules.some((rule) => rule.includes('DNAT')));
    const waiting = ask(lab, 'demo');
    await lab.kube.fault({ hide: [] });
    await agent.ready();
    t.equal((await waiting).status, 200);
  },
);

for (const [what, user, words] of [
  [
    'without rights',
    { ...nmi, rules: nmi.rules.slice(0, 1) },
    /^azureidentities: no right to list and watch/m,
  ],
  ['with a token that nobody knows', null, /^pods: the API server does not accept our credentials$/m],
] as const) {
  t.test(`started ${what} it guards, says so, and goes on when it gets them`, { skip }, async (t) => {
    await lab.kube.fault({ tokens: { 'nmi-token': user } });
    await startAnew();
    t.match(await notReady(), words);
    t.ok((await ourRules(lab)).some((rule) => rule.includes('DNAT')));
    await lab.kube.fault({ clear: true });
    await agent.ready();
    t.equal((await ask(lab, 'demo')).status, 200);
  });
}

t.test(
  'while it is away for a minute a known pod is served, readiness says why, and it mends itself',
  { skip },
  async (t) => {
    const began = performance.now();
    await lab.kube.fault({ away: true });
    const statuses = new Set<number>();
    const reason = await notReady();
    t.match(reason, /^(pods|azure\w+): /);
    await eventually(
      'a minute is over',
      async () => {
        statuses.add((await ask(lab, 'demo')).status);
        return performance.now() - began > 60_000;
      },
      { withinMs: 70_000, everyMs: 500 },
    );
    t.same([...statuses], [200]);
    t.equal((await agent.probed('/healthz')).status, 200, 'it is alive');
    t.equal((await agent.probed('/readyz')).status, 503);
    await lab.kube.fault({ away: false });
    // After a long outage the next try may be half a minute away.
    const ready = async (): Promise<boolean> => (await agent.probed('/readyz')).status === 200;
    await eventually('it has recovered', ready, { withinMs: 60_000, everyMs: 200 });
  },
);
