import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { AppError, messageOf } from '../model/errors.ts';
import type { ReadFile } from './backend.ts';

/** Where to listen and where the redirect sends to, with the reason in words for one line of log. */
export interface ListenPlan {
  readonly listen: string;
  readonly target: string;
  readonly why: string;
}

export interface ListenQuestions {
  readonly readFile: ReadFile;
  /** The address that the kernel would send from towards `ip`. */
  readonly sourceTowards: (ip: string) => Promise<string>;
}

/**
 * Turns the listen address asked for into one that redirected packets can reach. Throws AppError `flag-invalid` for an
 * address that IPv4 cannot be redirected to, `listen-failed` when the node's own address is needed and not to be found.
 */
export async function planListen(
  asked: string,
  metadataIp: string,
  { readFile, sourceTowards }: ListenQuestions,
): Promise<ListenPlan> {
  if (asked === '0.0.0.0' || asked === '::') {
    const target = await sourceTowards(metadataIp);
    return {
      // Only IPv4 is redirected; on the node's IPv6 addresses nothing would guard the port.
      listen: '0.0.0.0',
      target,
      why: `all addresses were asked for; pods are sent to the node's ${target}`,
    };
  }
  if (!isIPv4(asked)) {
    throw new AppError(
      'flag-invalid',
      `the listen address must be an IPv4 address, 0.0.0.0 or ::, not "${asked}"`,
    );
  }
  if (!asked.startsWith('127.')) return { listen: asked, target: asked, why: 'it was asked for' };
  if (await routesLocalnet(readFile)) return { listen: asked, target: asked, why: 'route_localnet is on' };
  const node = await sourceTowards(metadataIp);
  return {
    listen: node,
    target: node,
    why: `route_localnet is off, so pods cannot reach ${asked}; listening on the node's address`,
  };
}

/** Without it the kernel drops what arrives from a pod for 127.0.0.0/8, also after DNAT. We never set it. */
async function routesLocalnet(readFile: ReadFile): Promise<boolean> {
  try {
    return (await readFile('/proc/sys/net/ipv4/conf/all/route_localnet')).trim() === '1';
  } catch {
    return false;
  }
}

/** Connecting a UDP socket sends no packet; the kernel picks the route and with it the source address. */
export function kernelSourceTowards(ip: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const fail = (error: unknown): void => {
      socket.close();
      const why = `the node's own address towards ${ip} is not known: ${messageOf(error)}`;
      reject(new AppError('listen-failed', why, { cause: error }));
    };
    // Not connect's callback: it would be given the error in place of the event.
    socket.once('error', fail);
    socket.once('connect', () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
    socket.connect(80, ip);
  });
}
