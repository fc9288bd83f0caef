import t from 'tap';
import { allows, type EgressPolicy, egressPolicies, isolating } from '../../../lib/cli/doctor/egress.ts';
import { examined, found, pod, told } from './scene.ts';

const agentAt = { ip: '10.1.0.4', port: 2579 };
const imds = { ip: '169.254.169.254', port: 80 };

function policy(spec: object, name = 'p'): EgressPolicy {
  const parsed = egressPolicies.parse({ metadata: { namespace: 'shop', name }, spec });
  if (parsed === undefined || parsed === 'ingress') throw new Error('no policy about egress');
  return parsed;
}

function egress(...rules: readonly object[]): EgressPolicy {
  return policy({ podSelector: {}, policyTypes: ['Egress'], egress: rules });
}

t.test('reads a rule as Kubernetes does', async (t) => {
  const block = (cidr: string, ...except: string[]) => ({ to: [{ ipBlock: { cidr, except } }] });
  const rules: readonly (readonly [rule: object, target: typeof imds, goes: boolean])[] = [
    [{}, agentAt, true],
    [block('10.0.0.0/8'), agentAt, true],
    [block('10.0.0.0/8', '10.1.0.0/16'), agentAt, false],
    [block('169.254.169.254/32'), imds, true],
    [block('fd00::/8'), agentAt, false],
    [{ to: [{ namespaceSelector: {} }] }, agentAt, false],
    [{ ports: [{ port: 2579 }] }, agentAt, true],
    [{ ports: [{ protocol: 'UDP', port: 53 }] }, agentAt, false],
    [{ ports: [{ protocol: 'UDP', port: 80 }] }, imds, false],
    [{ ports: [{ port: 2000, endPort: 3000 }] }, agentAt, true],
    [{ ports: [{ port: 'http' }] }, imds, false],
    [{ ports: [{ protocol: 'TCP' }] }, imds, true],
    [{ ...block('0.0.0.0/0'), ports: [{ port: 443 }] }, imds, false],
  ];
  for (const [rule, target, goes] of rules)
    t.equal(allows(egress(rule), target), goes, `${JSON.stringify(rule)} to ${target.ip}:${target.port}`);
});

t.test('takes a policy for one about egress when it says so, or says something of egress', async (t) => {
  const parse = (spec: object): unknown =>
    egressPolicies.parse({ metadata: { namespace: 'shop', name: 'p' }, spec });
  t.equal(parse({ podSelector: {}, policyTypes: ['Ingress'] }), 'ingress');
  t.equal(parse({ podSelector: {}, ingress: [] }), 'ingress');
  t.match(parse({ podSelector: {}, egress: [{}] }), { rules: [{}] });
  t.match(parse({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }), { rules: [] });
});

t.test('isolates pods of its own namespace that it selects', async (t) => {
  const db = policy({ podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Egress'] });
  t.same(isolating([db], { namespace: 'shop', labels: { app: 'db' } }), [db]);
  t.same(isolating([db], { namespace: 'shop', labels: { app: 'web' } }), []);
  t.same(isolating([db], { namespace: 'other', labels: { app: 'db' } }), []);
});

t.test('finds policies that keep pods with an identity from the agent', async (t) => {
  const pods = told(pod('web'), pod('plain', { labels: {} }), pod('host', { hostNetwork: true }));
  const dns = egress({ ports: [{ protocol: 'UDP', port: 53 }] });
  const says =
    /^error NetworkPolicy shop\/p isolates the egress of shop\/web, and nothing allows 169.254.169.254, port 80 and the node's address, port 2579$/;
  const all = found('network-policies', { pods, policies: told(dns) });
  t.equal(all.length, 1);
  t.match(all[0], says);
  const half = egress({ to: [{ ipBlock: { cidr: '169.254.169.254/32' } }] });
  t.match(
    found('network-policies', { pods, policies: told(half) })[0],
    /^warning .*nothing allows the node's address/,
  );
  t.same(found('network-policies', { pods, policies: told(dns, egress({})) }), [], 'policies add up');
});

t.test('offers a policy that allows all that is missing', async (t) => {
  const { findings } = examined('network-policies', { policies: told(egress()) });
  const [, json = ''] = /^echo '(.*)' \| kubectl apply -n shop -f -$/.exec(findings[0]?.mend[0] ?? '') ?? [];
  const { spec } = JSON.parse(json);
  t.same(found('network-policies', { policies: told(egress(), policy(spec)) }), []);
});

t.test('offers a policy that isolates no pod which was free', async (t) => {
  const isolated = policy({ podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] });
  const pods = told(pod('web', { labels: { app: 'web', aadpodidbinding: 'web' } }));
  const { findings } = examined('network-policies', { pods, policies: told(isolated) });
  const [, json = ''] = /^echo '(.*)' \|/.exec(findings[0]?.mend[0] ?? '') ?? [];
  const offered = policy(JSON.parse(json).spec);
  t.same(isolating([offered], { namespace: 'shop', labels: { app: 'db' } }), []);
});
