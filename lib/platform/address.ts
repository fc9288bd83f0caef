import { isIPv4 } from 'node:net';
import { Address6 } from 'ip-address';

/**
 * An IP address in the one text form that addresses are compared in: IPv4 dotted, also for `::ffff:10.0.0.5`; IPv6 in its
 * shortest form, in lower case and without a zone. Undefined for what is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bare = text.split('%', 1)[0] ?? text; // fe80::1%eth0: the zone is not part of the address
  if (!Address6.isValid(bare) || bare.includes('/')) return undefined;
  const address = new Address6(bare);
  return address.isMapped4() ? address.to4().correctForm() : address.correctForm();
}
