import type { Exec, ExecResult } from '../../lib/platform/exec.ts';

interface Entry {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
  readonly protocol?: string;
}

interface Place {
  readonly mac: string;
  readonly ifname: string;
  readonly master: string;
  readonly state: string;
  readonly flags: readonly string[];
}

/** A pod as its link shows it: the port that it is plugged into, and the MAC with which it answers. */
interface Plug {
  readonly mac: string;
  readonly port: string;
}

/**
 * The kernel's neighbour table and one bridge's forwarding table, behind `ip` and `bridge`. Understands only what the
 * product says, and refuses what the kernel refuses, in its words.
 */
export class FakeNeighbours {
  readonly #bridge: string;
  readonly #entries = new Map<string, Entry>();
  readonly #places = new Map<string, Place>();
  readonly #plugs = new Map<string, Plug>();
  /** The changes asked for, as command lines. */
  readonly changes: string[] = [];
  /** While set, commands that begin so fail. */
  broken: string | undefined;

  constructor(bridge: string) {
    this.#bridge = bridge;
  }

  /** From now on the pod answers for `ip`. */
  plug(ip: string, plug: Plug): void {
    this.#plugs.set(ip, plug);
  }

  /** Its port goes, and with it what the bridge knew of it; the neighbour table keeps what it has. */
  unplug(ip: string): void {
    const port = this.#plugs.get(ip)?.port;
    this.#plugs.delete(ip);
    for (const [mac, { ifname }] of this.#places) if (ifname === port) this.#places.delete(mac);
  }

  /** Something else writes an entry. */
  write(entry: Entry): void {
    this.#entries.set(entry.dst, entry);
  }

  entry(ip: string): Entry | undefined {
    return this.#entries.get(ip);
  }

  /** The port that the MAC is fixed to. */
  fixedTo(mac: string): string | undefined {
    const place = this.#places.get(mac);
    return place?.flags.includes('sticky') ? place.ifname : undefined;
  }

  readonly exec: Exec = async (file, args) => {
    const command = [file, ...args].join(' ');
    if (this.broken !== undefined && command.startsWith(this.broken))
      return refused('RTNETLINK answers: Operation not permitted');
    if (command === 'ip -4 -N -j neigh show') return ok(JSON.stringify([...this.#entries.values()]));
    if (command === 'bridge -j fdb show') return ok(JSON.stringify([...this.#places.values()]));
    this.changes.push(command);
    return file === 'ip' ? this.#neigh(args) : this.#fdb(args);
  };

  #neigh(args: readonly string[]): ExecResult {
    const [, verb, ip = '', ...more] = args;
    const rest = more.join(' ');
    const pin = /^lladdr (\S+) dev (\S+) nud permanent protocol (\d+)$/.exec(rest);
    if (verb === 'del') return this.#entries.delete(ip) ? ok() : refused(absent);
    if (verb !== 'replace') throw new Error(`not understood: ip ${args.join(' ')}`);
    if (rest === `dev ${this.#bridge} nud none use`) return this.#resolve(ip);
    if (!pin || pin[2] !== this.#bridge) throw new Error(`not understood: ip ${args.join(' ')}`);
    const [, lladdr = '', dev = '', protocol = ''] = pin;
    this.write({ dst: ip, dev, lladdr, state: ['PERMANENT'], protocol });
    return ok();
  }

  #resolve(ip: string): ExecResult {
    const plug = this.#plugs.get(ip);
    const entry = { dst: ip, dev: this.#bridge };
    if (!plug) this.write({ ...entry, state: ['INCOMPLETE'] });
    else {
      this.write({ ...entry, lladdr: plug.mac, state: ['REACHABLE'] });
      if (this.fixedTo(plug.mac) === undefined) this.#place(plug.mac, plug.port, '', []);
    }
    return ok();
  }

  #fdb(args: readonly string[]): ExecResult {
    const [, verb, mac = '', , port = '', ...more] = args;
    const isPort = [...this.#plugs.values()].some((plug) => plug.port === port);
    if (!isPort) return { code: 1, stdout: '', stderr: `Cannot find device "${port}"\n` };
    if (verb === 'del' && more.join(' ') === 'master')
      return this.#places.delete(mac) ? ok() : refused(absent);
    if (verb !== 'replace' || more.join(' ') !== 'master static sticky')
      throw new Error(`not understood: bridge ${args.join(' ')}`);
    this.#place(mac, port, 'static', ['sticky']);
    return ok();
  }

  #place(mac: string, ifname: string, state: string, flags: readonly string[]): void {
    this.#places.set(mac, { mac, ifname, master: this.#bridge, state, flags });
  }
}

const absent = 'RTNETLINK answers: No such file or directory';

function ok(stdout = ''): ExecResult {
  return { code: 0, stdout, stderr: '' };
}

function refused(stderr: string): ExecResult {
  return { code: 2, stdout: '', stderr: `${stderr}\n` };
}
