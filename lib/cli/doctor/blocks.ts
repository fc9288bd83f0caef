import { isIPv4 } from 'node:net';

/** As many rows as a reader takes in, and every network plugin takes well. */
const mostBlocks = 8;
/** Narrower ones would leave out the next node of the same subnet. */
const longestPrefix = 24;

/**
 * Address blocks that hold all these IPv4 addresses, in order: `10.224.0.0/24`. As narrow as eight of them can be, and none
 * narrower than a /24. What is no IPv4 address is left out.
 */
export function blocksOf(addresses: Iterable<string>): readonly string[] {
  const numbers = [...new Set(addresses)].flatMap((address) => numberOf(address) ?? []);
  for (let prefix = longestPrefix; ; prefix--) {
    const size = 2 ** (32 - prefix);
    const starts = new Set(numbers.map((number) => number - (number % size)));
    if (starts.size <= mostBlocks)
      return [...starts].sort((a, b) => a - b).map((start) => `${dotted(start)}/${prefix}`);
  }
}

function numberOf(address: string): number | undefined {
  return isIPv4(address) ? address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0) : undefined;
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
