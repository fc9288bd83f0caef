import { AppError } from '../model/errors.ts';
import type { Exec } from '../platform/exec.ts';
import type { Forwarding, Neighbour, PinStep, Tables } from './pins.ts';

/**
 * The mark of our entries: `protocol`, an 8-bit number that the kernel keeps and shows and that means nothing to it (Linux
 * 4.20, iproute2 5.0). Not one of those in /etc/iproute2/rt_protos, nor Calico's 80; after 169.254.169.254.
 */
const ownMark = '169';
/** `ip` and `bridge` answer in milliseconds; only a kernel that hangs takes this long, ms. */
const timeoutMs = 5_000;

/** Both tables as the kernel shows them. Throws AppError `neighbours-failed`, or what `exec` throws. */
export async function readTables(exec: Exec): Promise<Tables> {
  // -N: the number, where the node's rt_protos has a name for it.
  const neighbours = await read(exec, 'ip', ['-4', '-N', '-j', 'neigh', 'show']);
  const forwarding = await read(exec, 'bridge', ['-j', 'fdb', 'show']);
  return { neighbours: neighbours.flatMap(neighbourOf), forwarding: forwarding.flatMap(forwardingOf) };
}

/** What the programs say of an entry, or its port, that went in between. */
const gone = /No such file or directory|Cannot find device/;

/**
 * Does the step; taking away what is gone already is done. Throws AppError `neighbours-failed` with the program's words, or
 * what `exec` throws.
 */
export async function take(exec: Exec, step: PinStep): Promise<void> {
  const takesAway = step.do === 'release' || step.do === 'forget';
  for (const [file, ...args] of commandsOf(step)) {
    await run(exec, file, args, takesAway ? gone : undefined);
  }
}

type Command = readonly ['ip' | 'bridge', ...string[]];

function commandsOf(step: PinStep): readonly Command[] {
  switch (step.do) {
    case 'release':
      return [['bridge', 'fdb', 'del', step.mac, 'dev', step.port, 'master']];
    case 'forget':
      return [['ip', 'neigh', 'del', step.ip, 'dev', step.bridge]];
    case 'resolve':
      // `use`: the kernel sends its own ARP request, and the pod gets no packet of ours.
      return [['ip', 'neigh', 'replace', step.ip, 'dev', step.bridge, 'nud', 'none', 'use']];
    case 'pin': {
      const { ip, bridge, mac, port } = step;
      const entry = ['lladdr', mac, 'dev', bridge, 'nud', 'permanent', 'protocol', ownMark];
      // The port first: an entry without it would be taken for a former pod's, over and over where a kernel refuses it.
      return [
        ['bridge', 'fdb', 'replace', mac, 'dev', port, 'master', 'static', 'sticky'],
        ['ip', 'neigh', 'replace', ip, ...entry],
      ];
    }
  }
}

async function run(exec: Exec, file: string, args: readonly string[], fine?: RegExp): Promise<string> {
  const { code, stdout, stderr } = await exec(file, args, { timeoutMs });
  if (code === 0 || fine?.test(stderr)) return stdout;
  throw new AppError('neighbours-failed', `${file} ${args.join(' ')}: ${stderr.trim() || `exit ${code}`}`);
}

type Row = Readonly<Record<string, unknown>>;

async function read(exec: Exec, file: string, args: readonly string[]): Promise<readonly Row[]> {
  const text = await run(exec, file, args);
  try {
    return JSON.parse(text.trim() || '[]') as Row[];
  } catch (error) {
    throw new AppError('neighbours-failed', `${file} ${args.join(' ')}: not JSON`, { cause: error });
  }
}

/** `{"dst":"10.244.1.7","dev":"cbr0","lladdr":"0a:58:…","state":["PERMANENT"],"protocol":"169"}` */
function neighbourOf({ dst, dev, lladdr, state, protocol }: Row): Neighbour[] {
  if (typeof dst !== 'string' || typeof dev !== 'string') return [];
  return [
    {
      ip: dst,
      bridge: dev,
      ...(typeof lladdr === 'string' && { mac: lladdr }),
      permanent: Array.isArray(state) && state.includes('PERMANENT'),
      ours: String(protocol) === ownMark,
    },
  ];
}

/**
 * `{"mac":"0a:58:…","ifname":"veth1","flags":["sticky"],"master":"cbr0","state":"static"}`; without `master` it is a device's
 * own filter, and `permanent` is the port's own address.
 */
function forwardingOf({ mac, ifname, master, state, flags }: Row): Forwarding[] {
  if (typeof mac !== 'string' || typeof ifname !== 'string' || typeof master !== 'string') return [];
  if (state === 'permanent') return [];
  const fixed = state === 'static' && Array.isArray(flags) && flags.includes('sticky');
  return [{ bridge: master, mac, port: ifname, fixed }];
}
