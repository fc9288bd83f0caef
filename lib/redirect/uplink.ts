import type { ReadFile } from './backend.ts';

/**
 * The bridge that holds the node's uplink and whose frames iptables is not shown (Azure CNI in bridge mode makes such a bridge; a
 * kubelet asks for the sysctl). Pods on it reach the metadata address past every rule: measured, Linux 6.18. Undefined when
 * there is none, or where that cannot be read.
 */
export async function unfilteredUplink(metadataIp: string, readFile: ReadFile): Promise<string | undefined> {
  const read = (path: string): Promise<string> =>
    readFile(path).then(
      (text) => text.trim(),
      () => '',
    );
  const device = deviceTowards(metadataIp, await read('/proc/net/route'));
  if (device === undefined || !/^[\w.-]+$/.test(device)) return undefined;
  const bridge = `/sys/class/net/${device}/bridge`;
  if ((await read(`${bridge}/bridge_id`)) === '') return undefined;
  const asked = [
    await read('/proc/sys/net/bridge/bridge-nf-call-iptables'),
    await read(`${bridge}/nf_call_iptables`),
  ];
  return asked.includes('1') ? undefined : device;
}

/** The device of the most exact route, from /proc/net/route: names, then numbers in hexadecimal, their bytes reversed. */
function deviceTowards(ip: string, routes: string): string | undefined {
  const wanted = numberOf(ip.split('.').reverse().map(Number));
  const fitting = routes
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/))
    .map(([device = '', to = '', , , , , , mask = '']) => ({
      device,
      to: parseInt(to, 16),
      mask: parseInt(mask, 16),
    }))
    .filter(({ to, mask }) => (wanted & mask) >>> 0 === to);
  return fitting.sort((a, b) => bitsOf(b.mask) - bitsOf(a.mask))[0]?.device;
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function bitsOf(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}
