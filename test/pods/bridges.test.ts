import t from 'tap';
import { createLogger } from '../../lib/platform/log.ts';
import { createBridgeWarning, onBridges, readBridges } from '../../lib/pods/bridges.ts';

const four = (cidr: string | null) => ({ family: 'IPv4', cidr });
const six = (cidr: string) => ({ family: 'IPv6', cidr });
const cbr0 = { name: 'cbr0', subnets: ['10.244.1.1/24'] };
const docker0 = { name: 'docker0', subnets: ['172.17.0.1/16'] };

t.test('finds the bridges that have an IPv4 address', async (t) => {
  const found = readBridges({
    interfaces: () => ({
      lo: [four('127.0.0.1/8'), six('::1/128')],
      eth0: [four('10.0.0.4/24')],
      cbr0: [four('10.244.1.1/24'), six('fe80::1/64'), four('10.245.1.1/24')],
      br6: [six('fd00::1/64')],
      odd: [four(null)],
      gone: undefined,
    }),
    isBridge: (name) => !['lo', 'eth0'].includes(name),
  });
  t.same(found, [{ name: 'cbr0', subnets: ['10.244.1.1/24', '10.245.1.1/24'] }]);
});

t.test('takes loopback for no bridge on this machine', async (t) => {
  t.notOk(readBridges().some(({ name }) => name === 'lo'));
});

const cases: Readonly<Record<string, readonly [ip: string, bridge: string | undefined]>> = {
  'an address of the subnet': ['10.244.1.7', 'cbr0'],
  'the last of it': ['10.244.1.255', 'cbr0'],
  'one beside it': ['10.244.2.0', undefined],
  'one of the second bridge': ['172.17.9.9', 'docker0'],
  'an IPv6 address': ['fd00::7', undefined],
  'an IPv4 address in IPv6': ['::ffff:10.244.1.7', undefined],
  'what is no address': ['10.244.1', undefined],
};

for (const [what, [ip, bridge]] of Object.entries(cases)) {
  t.test(`${what} is reached over ${bridge ?? 'no bridge'}`, async (t) => {
    const found = onBridges([{ ip, pod: 'apps/web' }], [cbr0, docker0]);
    t.same(found, bridge === undefined ? [] : [{ ip, pod: 'apps/web', bridge }]);
  });
}

t.test('nothing is reached over a bridge where there is none', async (t) => {
  t.same(onBridges([{ ip: '10.244.1.7', pod: 'apps/web' }], []), []);
});

t.test('warns once per bridge, when its first pod is seen', async (t) => {
  const logged: { bridge: string; pod: string; cure: string; level: string }[] = [];
  const held: { ip: string; pod: string }[] = [];
  const look = createBridgeWarning({
    bridges: () => [cbr0, docker0],
    held: () => held,
    log: createLogger('json', { to: { write: (line: string) => void logged.push(JSON.parse(line)) } }),
  });
  look();
  t.same(logged, [], 'no pod, no warning');
  held.push({ ip: '192.0.2.7', pod: 'apps/routed' });
  look();
  t.same(logged, [], 'a pod that is not on a bridge');
  held.push({ ip: '10.244.1.7', pod: 'apps/web' }, { ip: '10.244.1.8', pod: 'apps/cart' });
  look();
  look();
  t.match(logged, [{ level: 'warn', bridge: 'cbr0', pod: 'apps/web', cure: /NET_RAW.*--pin-neighbours/ }]);
  t.equal(logged.length, 1);
  held.push({ ip: '172.17.0.2', pod: 'apps/other' });
  look();
  t.same(
    logged.map(({ bridge }) => bridge),
    ['cbr0', 'docker0'],
  );
});
