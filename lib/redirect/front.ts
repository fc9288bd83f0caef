import type { Packet, Table } from './rules.ts';

/** Targets that let the packet go on to the next rule. */
const harmless =
  /^(LOG|NFLOG|ULOG|MARK|CONNMARK|SECMARK|CONNSECMARK|CLASSIFY|TRACE|TCPMSS|TOS|DSCP|TTL|ECN|CHECKSUM|SET|AUDIT)$/;
/**
 * Calico puts its own jump first and puts it back for ever; its chain only takes what goes to a floating address, and the
 * metadata address is none (its rule for that address is for OpenStack alone).
 */
const polite: Readonly<Record<string, Table>> = { 'cali-PREROUTING': 'nat' };

/**
 * Whether a rule, as `-S` prints it, could take the packet before our chain sees it. What cannot be read counts as taking: a
 * chain that we do not know may well hold a Service's rule for the metadata address (CVE-2020-8554).
 */
export function couldTake(line: string, table: Table, packet: Packet): boolean {
  const rule = withoutTexts(line);
  if (rule === undefined) return true;
  const target = / -[jg] (\S+)/.exec(rule)?.[1];
  if (target === undefined || harmless.test(target) || polite[target] === table) return false;
  // In mangle we are there to drop, so another who drops does our work.
  if (table === 'mangle' && target === 'DROP') return false;
  return !missesByAddress(rule, packet) && !missesByPort(rule, packet) && !missesByState(rule, table);
}

/** The rule without what its author wrote freely, which may look like any option; undefined when a quote is left open. */
function withoutTexts(line: string): string | undefined {
  const rule = line.replace(/"(?:\\.|[^"\\])*"/g, '""');
  return rule.replaceAll('""', '').includes('"') ? undefined : rule.replace(/ --comment \S+/g, '');
}

function missesByAddress(rule: string, { ip, local }: Packet): boolean {
  if (/(?<!!) -i lo(?= |$)/.test(rule)) return true;
  if (!local && /(?<!!) --dst-type LOCAL(?= |$)/.test(rule)) return true;
  if (ip === undefined) return false;
  const [, not, range = ''] = / (! )?-d (\S+)/.exec(rule) ?? [];
  if (range === '') return false;
  const inside = isIn(ip, range);
  return inside !== undefined && inside === (not !== undefined);
}

function missesByPort(rule: string, { ports }: Packet): boolean {
  const [, notProtocol, protocol = 'all'] = / (! )?-p (\S+)/.exec(rule) ?? [];
  const isTcp = protocol === 'tcp' || protocol === '6';
  if (protocol !== 'all' && isTcp === (notProtocol !== undefined)) return true;
  const [, not, list = ''] = / (! )?--dports? (\S+)/.exec(rule) ?? [];
  if (!/^\d+(:\d+)?(,\d+(:\d+)?)*$/.test(list)) return false;
  const named = list.split(',').map((range) => range.split(':').map(Number));
  const isNamed = (port: number): boolean =>
    named.some(([first = Number.NaN, last = first]) => port >= first && port <= last);
  return ports.every((port) => isNamed(port) === (not !== undefined));
}

/** nat sees the first packet of a connection alone. */
function missesByState(rule: string, table: Table): boolean {
  const [, not, states = ''] = / (! )?--(?:ctstate|state) (\S+)/.exec(rule) ?? [];
  return table === 'nat' && states !== '' && states.split(',').includes('NEW') === (not !== undefined);
}

/** Undefined when the range is not written as ADDRESS or ADDRESS/BITS. */
function isIn(ip: string, range: string): boolean | undefined {
  const [net = '', bits = '32'] = range.split('/');
  const [address, network] = [numberOf(ip), numberOf(net)];
  if (address === undefined || network === undefined || !/^([0-9]|[12][0-9]|3[0-2])$/.test(bits))
    return undefined;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(address / size) === Math.floor(network / size);
}

/** A dotted IPv4 address as a number. */
function numberOf(dotted: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(dotted)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => value * 256 + part, 0);
}
