import { addresses } from '../lab/addresses.ts';
import type { Lab } from '../lab/lab.ts';

/**
 * What pods get through to IMDS, told twice: IMDS logs the requests; Azure's kernel counts the connections, also those that are
 * over before IMDS can ask where they came from.
 */
const arriving = ['-s', addresses.pods, '-p', 'tcp', '--syn', '--dport', '80'];

/** To be called once for a lab. */
export async function watchLeaks(lab: Lab): Promise<void> {
  await inAzure(lab, '-A', 'INPUT', ...arriving);
}

export async function forgetLeaks(lab: Lab): Promise<void> {
  await lab.imds.clear();
  await inAzure(lab, '-Z', 'INPUT');
}

/** One line each. */
export async function leaksOf(lab: Lab): Promise<readonly string[]> {
  const counted = await inAzure(lab, '-v', '-S', 'INPUT');
  const [, syns] = /^-A INPUT .* -c (\d+) \d+/m.exec(counted) ?? [];
  if (syns === undefined) throw new Error(`Azure's counter cannot be read: ${counted}`);
  const { requests } = await lab.imds.log();
  return [
    ...(syns === '0' ? [] : [`${syns} times the first packet of a connection`]),
    ...requests
      .filter(({ remoteAddress, userAgent }) => !isRightful(remoteAddress, userAgent))
      .map(
        ({ remoteAddress, userAgent }) => `a request from ${remoteAddress || 'somewhere'} by ${userAgent}`,
      ),
  ];
}

/**
 * Only the node asks IMDS: the agent in its own name or in that of the excepted pod, and the node's own process. The address
 * is unknown when the connection was reset at once, as when the agent is killed.
 */
function isRightful(remoteAddress: string, userAgent: string): boolean {
  if (remoteAddress !== addresses.node && remoteAddress !== '') return false;
  return userAgent.startsWith('pod-identity/NMI/') || userAgent === 'excepted' || userAgent === 'on-node';
}

async function inAzure(lab: Lab, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.onAzure(['iptables-nft', ...args]);
  if (code !== 0) throw new Error(`iptables-nft ${args.join(' ')} in Azure: ${stderr}`);
  return stdout;
}
