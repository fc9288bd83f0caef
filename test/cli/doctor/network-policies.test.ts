import t from 'tap';
import { blocksOf } from '../../../lib/cli/doctor/blocks.ts';
import { allows, type EgressPolicy, isolating } from '../../../lib/cli/doctor/egress.ts';
import type { Facts } from '../../../lib/cli/doctor/facts.ts';
import { systemExec } from '../../../lib/platform/exec.ts';
import { agent, examined, flagged, found, pod, policy, told } from './scene.ts';

const imds = { ip: '169.254.169.254', port: 80 };
const ports = [2579, 2580, 2581];

function egress(...rules: readonly object[]): EgressPolicy {
  return policy({ podSelector: {}, policyTypes: ['Egress'], egress: rules });
}

function to(cidr: string, ...allowed: readonly number[]): object {
  return { to: [{ ipBlock: { cidr } }], ports: allowed.map((port) => ({ port })) };
}

const dns = egress({ ports: [{ protocol: 'UDP', port: 53 }] });
const before = to('169.254.169.254/32', 80);

/** Agents as our manifests start them: they listen on the node's address. */
const ofNode = agent('node1', { settings: flagged('--nmi-listen-address=10.1.0.4') });
const onNode = told(ofNode);

interface Offer {
  readonly name: string;
  readonly policy: EgressPolicy;
}

/** The policy that the first finding's command makes: what a shell hands to kubectl. */
async function offered(change: Partial<Facts>): Promise<Offer> {
  const line = examined('network-policies', { agents: onNode, ...change }).findings[0]?.mend[0] ?? '';
  const stdin = `kubectl() { [ "$*" = 'create -n shop -f -' ] && cat; }\n${line}\n`;
  const { code, stdout, stderr } = await systemExec('sh', ['-eu'], { timeoutMs: 60_000, stdin });
  if (code !== 0) throw new Error(`${line}: ${stderr}`);
  const { metadata, spec } = JSON.parse(stdout);
  return { name: metadata.name, policy: policy(spec, metadata.name) };
}

t.test('finds policies that keep pods with an identity from the agent', async (t) => {
  const pods = told(pod('web'), pod('plain', { labels: {} }), pod('host', { hostNetwork: true }));
  const of = (...policies: readonly EgressPolicy[]): readonly string[] =>
    found('network-policies', { pods, agents: onNode, policies: told(...policies) });
  const nothing = "169.254.169.254, port 80 and the node's address, ports 2579 to 2581";
  t.same(of(dns), [
    `error NetworkPolicy shop/p isolates the egress of shop/web, and nothing allows ${nothing}`,
  ]);
  t.match(of(egress(before)), [/^warning .*nothing allows the node's address/]);
  t.same(of(dns, egress({})), [], 'policies add up');
  t.same(of(egress(before, to('10.1.0.4/32', ...ports))), []);
  t.match(of(egress(before, to('127.0.0.1/32', ...ports))), [/^warning /], 'they listen elsewhere');
});

t.test(
  'one that lets pods to the first port alone cuts them off once an agent has handed over',
  async (t) => {
    const old = told(egress(before, to('10.1.0.4/32', 2579)));
    t.match(found('network-policies', { agents: onNode, policies: old }), [/^warning .*ports 2579 to 2581$/]);
    const original = told(
      agent('node1', { original: true, settings: flagged('--nmi-listen-address=10.1.0.4') }),
    );
    t.same(
      found('network-policies', { agents: original, policies: old }),
      [],
      'the original hands nothing over',
    );
  },
);

t.test('with the loopback address as listen address either way behind the redirect will do', async (t) => {
  const agents = told(agent('node1'));
  for (const cidr of ['127.0.0.1/32', '10.1.0.4/32'])
    t.same(found('network-policies', { agents, policies: told(egress(before, to(cidr, ...ports))) }), []);
  const { policy } = await offered({ agents, policies: told(dns) });
  for (const ip of ['127.0.0.1', '10.1.0.4']) t.ok(allows(policy, { ip, port: 2580 }));
});

t.test('where agents disagree about where they hear pods, it believes none of them', async (t) => {
  for (const flag of ['--metadata-ip=203.0.113.7', '--metadata-port=443', '--nmi-port=10250']) {
    const odd = agent('node2', { settings: flagged('--nmi-listen-address=10.1.0.5', flag) });
    for (const agents of [told(ofNode, odd), told(odd, ofNode)]) {
      const { findings, untold } = examined('network-policies', { agents, policies: told(dns) });
      t.same(findings, []);
      t.same(untold, [`agents disagree about ${flag.replace(/=.*/, '')}`]);
    }
    t.match((await offered({ agents: told(odd), policies: told(dns) })).name, 'p-pod-identity');
  }
});

t.test('takes the way by the loopback address for open only where all agents hear pods there', async (t) => {
  const opened = told(egress(before, to('127.0.0.1/32', ...ports)));
  for (const agents of [told(ofNode, agent('node2')), told(agent('node2'), ofNode)])
    t.match(found('network-policies', { agents, policies: opened }), [/^warning /]);
});

t.test('offers a policy that opens the way to the agent and no other', async (t) => {
  const { policy } = await offered({ policies: told(dns) });
  for (const target of [imds, ...ports.map((port) => ({ ip: '10.1.0.4', port }))])
    t.ok(allows(policy, target), `${target.ip}:${target.port}`);
  const others = [
    ...ports.map((port) => ({ ip: '203.0.113.7', port })),
    ...[
      { ip: '10.9.0.4', port: 2579 },
      { ip: '10.1.0.4', port: 10250 },
      { ip: '10.1.0.4', port: 80 },
    ],
    { ...imds, port: 443 },
  ];
  for (const target of others) t.notOk(allows(policy, target), `${target.ip}:${target.port}`);
  t.same(found('network-policies', { agents: onNode, policies: told(dns, policy) }), [], 'and it is enough');
});

t.test('offers a policy that isolates no pod which was free', async (t) => {
  const isolated = policy({ podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] });
  const pods = told(pod('web', { labels: { app: 'web', aadpodidbinding: 'web' } }));
  const offer = await offered({ pods, policies: told(isolated) });
  t.same(isolating([offer.policy], { namespace: 'shop', labels: { app: 'db' } }), []);
});

t.test('never offers the name of a policy that is there', async (t) => {
  const named = (name: string): EgressPolicy => policy({ podSelector: {}, policyTypes: ['Egress'] }, name);
  const names = ['p', 'p-pod-identity', 'p-pod-identity-2'];
  t.equal((await offered({ policies: told(...names.map(named)) })).name, 'p-pod-identity-3');
  const far = policy({ podSelector: {}, policyTypes: ['Egress'] }, 'p-pod-identity', 'other');
  t.equal((await offered({ policies: told(named('p'), far) })).name, 'p-pod-identity');
});

t.test('what the author of a policy wrote stays inside of the quotes', async (t) => {
  const values = ["a'; touch harm; echo 'b", '\\u0027$(id)'];
  const matchExpressions = [{ key: 'app', operator: 'NotIn', values }];
  const evil = policy({ podSelector: { matchExpressions }, policyTypes: ['Egress'] });
  t.same((await offered({ policies: told(evil) })).policy.podSelector.matchExpressions, matchExpressions);
});

t.test('holds the addresses of all nodes in a few blocks', async (t) => {
  t.same(blocksOf([]), []);
  t.same(blocksOf(['10.1.0.4', '10.1.0.200', 'fd00::1', '']), ['10.1.0.0/24'], 'room for the next node');
  t.same(blocksOf(['10.1.0.4', '192.168.7.9']), ['10.1.0.0/24', '192.168.7.0/24']);
  const many = Array.from({ length: 30 }, (_, i) => `10.224.${i}.4`);
  const blocks = blocksOf(many);
  t.ok(blocks.length <= 8 && blocks.every((block) => block.startsWith('10.224.')), blocks.join());
  const opened = egress({ to: blocks.map((cidr) => ({ ipBlock: { cidr } })) });
  for (const ip of many) t.ok(allows(opened, { ip, port: 1 }), ip);
  t.same(blocksOf(['0.0.0.1', '255.255.255.255']), ['0.0.0.0/24', '255.255.255.0/24']);
});
