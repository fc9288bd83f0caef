import type { Exec } from '../../lib/platform/exec.ts';
import { restoreText } from '../../lib/redirect/compare.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { addresses } from '../lab/addresses.ts';

/** What other programs and people do to a node's rules. */
export interface Damage {
  readonly name: string;
  /** Its text tables, for one backend. `saved`: the whole of what stood before ours was put in. */
  readonly calls: (backend: BackendName) => readonly Call[];
  /** What it takes from us: the redirect in nat, the guard in mangle, or both at once, for which there is `--guard=both`. */
  readonly table: 'nat' | 'mangle' | 'both';
  /** Pods reach the agent all the while. */
  readonly sparesRedirect?: true;
  /** Comes in front of our jump: one after another, such are put right ever more rarely (lib/redirect/rivalry.ts). */
  readonly rival?: true;
  /** Sends the packet to where nobody listens, so that a client is refused and not left waiting. */
  readonly refuses?: true;
}

/** A program and its arguments, and what it reads. */
export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin?: string;
}

const metadata = `-d ${addresses.imds}/32 -p tcp -m tcp --dport 80`;
const words = (line: string): readonly string[] => line.split(' ');

const typed =
  (...lines: readonly string[]) =>
  (backend: BackendName): readonly Call[] =>
    lines.map((line) => ({ program: `iptables-${backend}`, args: ['-w', '5', ...words(line)] }));
/** In one step for each table: of several commands the second may find that the keeper was faster. */
const atOnce =
  (...texts: readonly string[]) =>
  (backend: BackendName): readonly Call[] => [
    { program: `iptables-${backend}-restore`, args: ['--noflush', '-w', '5'], stdin: texts.join('') },
  ];
/** A whole table written anew, as `iptables-restore` does without `--noflush`. */
const rewritten =
  (...texts: readonly string[]) =>
  (backend: BackendName): readonly Call[] => [
    { program: `iptables-${backend}-restore`, args: ['-w', '5'], stdin: texts.join('') },
  ];
const flush = ['-F', '-X'];
const policies = (table: 'nat' | 'mangle'): readonly string[] =>
  (table === 'nat'
    ? ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']
    : ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']
  ).map((hook) => `:${hook} ACCEPT [0:0]`);

/** kube-proxy's, cut to one Service. */
const kubeProxy = restoreText('nat', [
  ':KUBE-SERVICES - [0:0]',
  ':KUBE-SVC-A - [0:0]',
  '-A KUBE-SERVICES -d 10.0.0.10/32 -p tcp -m comment --comment "default/a cluster IP" -m tcp --dport 80 -j KUBE-SVC-A',
  '-A KUBE-SVC-A -p tcp -m tcp -j DNAT --to-destination 10.244.0.9:80',
  '-I PREROUTING 1 -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
]);
const firewalld = restoreText('nat', [
  ...policies('nat'),
  ':PREROUTING_direct - [0:0]',
  ':PREROUTING_ZONES - [0:0]',
  '-A PREROUTING -j PREROUTING_direct',
  '-A PREROUTING -j PREROUTING_ZONES',
]);
/** Of two copies, the one that was registered last wins. */
const olderAgent = restoreText('nat', [
  ':aad-metadata - [0:0]',
  `-A aad-metadata ! -s 127.0.0.1/32 ${metadata} -j DNAT --to-destination ${addresses.node}:2589`,
  '-I PREROUTING 1 -j aad-metadata',
]);
const other = (backend: BackendName): BackendName => (backend === 'nft' ? 'legacy' : 'nft');

export const damages: readonly Damage[] = [
  { name: 'chain flushed', table: 'nat', calls: typed('-t nat -F aad-metadata') },
  {
    name: 'chain deleted',
    table: 'nat',
    calls: atOnce(
      restoreText('nat', ['-D PREROUTING -j aad-metadata', '-F aad-metadata', '-X aad-metadata']),
    ),
  },
  {
    name: 'a rule put before ours in its chain',
    table: 'nat',
    calls: typed('-t nat -I aad-metadata 1 -j RETURN'),
  },
  { name: 'rule changed', table: 'nat', calls: typed(`-t nat -R aad-metadata 1 ${metadata} -j ACCEPT`) },
  { name: 'jump deleted', table: 'nat', calls: typed('-t nat -D PREROUTING -j aad-metadata') },
  {
    name: 'jump doubled',
    table: 'nat',
    sparesRedirect: true,
    calls: typed('-t nat -A PREROUTING -j aad-metadata'),
  },
  {
    name: 'guard removed',
    table: 'mangle',
    sparesRedirect: true,
    calls: atOnce(
      restoreText('mangle', [
        '-D FORWARD -j aad-metadata-guard',
        '-D INPUT -j aad-metadata-guard',
        '-F aad-metadata-guard',
        '-X aad-metadata-guard',
      ]),
    ),
  },
  { name: 'nat flushed', table: 'nat', calls: atOnce(restoreText('nat', flush)) },
  {
    name: 'mangle flushed',
    table: 'mangle',
    sparesRedirect: true,
    calls: atOnce(restoreText('mangle', flush)),
  },
  {
    name: 'a saved nat table restored without us',
    table: 'nat',
    calls: rewritten(restoreText('nat', policies('nat'))),
  },
  { name: 'firewalld reloaded', table: 'nat', calls: rewritten(firewalld) },
  {
    name: 'kube-proxy started, its jump in front',
    table: 'nat',
    sparesRedirect: true,
    rival: true,
    calls: atOnce(kubeProxy),
  },
  {
    name: 'a rule in front takes the packet',
    table: 'nat',
    rival: true,
    calls: typed(`-t nat -I PREROUTING 1 ${metadata} -j ACCEPT`),
  },
  {
    name: 'a rule in front of the guard takes the packet',
    table: 'mangle',
    sparesRedirect: true,
    rival: true,
    calls: typed(`-t mangle -I FORWARD 1 ${metadata} -j ACCEPT`),
  },
  {
    name: 'the other backend gains the chain of an older agent',
    table: 'nat',
    refuses: true,
    calls: (backend) => atOnce(olderAgent)(other(backend)),
  },
  {
    name: 'every table flushed',
    table: 'both',
    calls: atOnce(restoreText('nat', flush), restoreText('mangle', flush)),
  },
];

/** Does the damage in the namespace of the node. Throws what the program said when it is refused. */
export async function damage(onNode: Exec, { name, calls }: Damage, backend: BackendName): Promise<void> {
  for (const { program, args, stdin } of calls(backend)) {
    const result = await onNode(program, args, {
      timeoutMs: 20_000,
      ...(stdin === undefined ? {} : { stdin }),
    });
    if (result.code !== 0) throw new Error(`${name}: ${program} ${args.join(' ')}: ${result.stderr}`);
  }
}
