import t from 'tap';
import { allows, type EgressPolicy, egressPolicies, isolating } from '../../../lib/cli/doctor/egress.ts';

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
