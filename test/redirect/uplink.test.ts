import t from 'tap';
import { unfilteredUplink } from '../../lib/redirect/uplink.ts';

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
/** As /proc/net/route prints them. */
const route = (device: string, to: string, mask: string): string =>
  `${device}\t${to}\t0100630A\t0003\t0\t0\t0\t${mask}\t0\t0\t0`;
const byDefault = (device: string): string => [head, route(device, '00000000', '00000000'), ''].join('\n');
const isBridge = { '/sys/class/net/azure0/bridge/bridge_id': '8000.0242ac110002\n' };
const sysctl = '/proc/sys/net/bridge/bridge-nf-call-iptables';

const cases: Record<string, [files: Record<string, string>, found: string | undefined]> = {
  'an uplink that is no bridge': [{ '/proc/net/route': byDefault('eth0') }, undefined],
  'a bridge whose frames iptables sees': [
    { '/proc/net/route': byDefault('azure0'), ...isBridge, [sysctl]: '1\n' },
    undefined,
  ],
  'a bridge that asks for it itself': [
    {
      '/proc/net/route': byDefault('azure0'),
      ...isBridge,
      [sysctl]: '0\n',
      '/sys/class/net/azure0/bridge/nf_call_iptables': '1\n',
    },
    undefined,
  ],
  'a bridge whose frames it does not see': [
    { '/proc/net/route': byDefault('azure0'), ...isBridge, [sysctl]: '0\n' },
    'azure0',
  ],
  'a bridge on a kernel that has not heard of it': [
    { '/proc/net/route': byDefault('azure0'), ...isBridge },
    'azure0',
  ],
  'a more exact route by another device': [
    {
      // 169.254.0.0/16 by eth1
      '/proc/net/route': [byDefault('azure0').trim(), route('eth1', '0000FEA9', '0000FFFF'), ''].join('\n'),
      ...isBridge,
    },
    undefined,
  ],
  'no routes at all': [{}, undefined],
  'a device with a name that is none': [{ '/proc/net/route': byDefault('../../x') }, undefined],
};

for (const [what, [files, found]] of Object.entries(cases)) {
  t.test(`with ${what}, ${found ? 'names it' : 'finds nothing wrong'}`, async (t) => {
    const readFile = async (path: string): Promise<string> => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
      return text;
    };
    t.equal(await unfilteredUplink('169.254.169.254', readFile), found);
  });
}
