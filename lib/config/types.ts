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

/** A decimal number in a closed range. */
export function number(least: number, most: number): FlagType<number> {
  return {
    expects: `a number from ${least} to ${most}`,
    parse: (value) => {
      const parsed = /^\d{1,9}(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN;
      return parsed >= least && parsed <= most ? parsed : undefined;
    },
  };
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** A duration as Go writes it (`15s`, `1h30m`, `0`) in a closed range; its value and the range are in ms. */
export function duration(leastMs: number, mostMs: number): FlagType<number> {
  return {
    expects: `a duration from ${shown(leastMs)} to ${shown(mostMs)}, like 15s, 3m or 1h30m`,
    shown,
    parse: (value) => {
      const ms = value === '0' ? 0 : msIn(value);
      return ms >= leastMs && ms <= mostMs ? ms : undefined;
    },
  };
}

function msIn(value: string): number {
  if (!/^((\d{1,9}\.?\d{0,9}|\.\d{1,9})(h|ms|m|s|us|µs|ns))+$/.test(value)) return Number.NaN;
  const terms = [...value.matchAll(/([\d.]+)([a-zµ]+)/g)];
  return terms.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? Number.NaN), 0);
}

/** In the largest unit that divides it. */
function shown(ms: number): string {
  const unit = (['h', 'm', 's'] as const).find((each) => ms > 0 && ms % (unitMs[each] ?? 0) === 0) ?? 's';
  return `${ms / (unitMs[unit] ?? 1)}${unit}`;
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

/** An origin like `https://login.example.com`; its host is the value, in lower case. */
export const httpsHost: FlagType<string> = {
  expects: 'https:// and a host, without user, port or path',
  parse: (value) => {
    const url = URL.parse(value);
    const bare = url && /^https:\/\/[^/@:?#\\]+\/?$/i.test(value) && url.protocol === 'https:';
    return bare ? url.host : undefined;
  },
};

/** Values with commas between; none for an empty text. */
export function list<T>(type: FlagType<T>): FlagType<readonly T[]> {
  return {
    expects: `${type.expects}; several with commas between`,
    parse: (value) => {
      const items = value === '' ? [] : value.split(',').map((item) => type.parse(item.trim()));
      return items.every((item) => item !== undefined) ? Object.freeze(items) : undefined;
    },
  };
}

/** A flag that may be left out: its default is undefined. */
export function optional<T>(type: FlagType<T>): FlagType<T | undefined> {
  return type;
}
