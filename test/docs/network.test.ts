import { loadYaml } from '@kubernetes/client-node';
import t from 'tap';
import { allows, type EgressPolicy, egressPolicies } from '../../lib/cli/doctor/egress.ts';
import { nmiFlags, podPortsUsed } from '../../lib/config/nmi-flags.ts';
import { textOf } from './pages.ts';

const blocks = [...textOf('docs/network.md').matchAll(/^```yaml\n([\s\S]*?)^```/gm)];
const policies = blocks
  .map(([, block = '']) => loadYaml<{ readonly kind?: string }>(block))
  .filter(({ kind }) => kind === 'NetworkPolicy')
  .map((raw) => egressPolicies.parse(raw) as EgressPolicy);

t.test(
  "the page's network policy lets pods reach the agent on all of its ports, and nothing else",
  async (t) => {
    const [policy] = policies;
    if (!policy || policies.length > 1) return t.fail('there is one policy');
    const node = '10.224.0.4';
    const imds = { ip: nmiFlags.metadataIp.default, port: nmiFlags.metadataPort.default };
    const ports = Array.from({ length: podPortsUsed }, (_, i) => nmiFlags.nmiPort.default + i);
    for (const target of [imds, ...ports.map((port) => ({ ip: node, port }))])
      t.ok(allows(policy, target), `${target.ip}:${target.port}`);
    const others = [
      { ...imds, port: 443 },
      { ip: node, port: 10250 },
      { ip: node, port: 80 },
      { ip: '10.0.0.1', port: 2579 },
    ];
    for (const target of others) t.notOk(allows(policy, target), `${target.ip}:${target.port}`);
  },
);
