import { isIP, isIPv4 } from 'node:net';
import type { FlagType } from './flag.ts';

export const text: FlagType<string> = { expects: 'any text', parse: (value) => value };

/** As Go's flag package, whose spellings the original took. */
export const bool: FlagType<boolean> = {
  expects: 'true or false',
  parse: (value) => (/^(1|t|true)$/i.test(value) ? true : /^(0|f|false)$/i.test(value) ? false : undefined),
  bare: true,
};

/** A whole number in a closed range. */
export function int(least: number, most: number): FlagType<number> {
  return {
    expects: `a whole number from ${least} to ${most}`,
    parse: (value) => {
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

export const port: FlagType<number> = { ...int(1, 65535), expects: 'a port from 1 to 65535' };

export const ipv4: FlagType<string> = {
  expects: 'an IPv4 address',
  parse: (value) => (isIPv4(value) ? value : undefined),
};

export const ip: FlagType<string> = {
  expects: 'an IPv4 or IPv6 address',
  parse: (value) => (isIP(value) ? value : undefined),
};

/** One of a closed list, in any letter case, as the original lower-cased its modes. */
export function choice<const Name extends string>(...names: readonly Name[]): FlagType<Name> {
  return {
    expects: names.length === 1 ? `only ${names[0]}` : `one of ${names.join(', ')}`,
    parse: (value) => names.find((name) => name === value.toLowerCase()),
  };
}

/** A flag that may be left out: its default is undefined. */
export function optional<T>(type: FlagType<T>): FlagType<T | undefined> {
  return type;
}
