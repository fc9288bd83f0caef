import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { daemonset, documentsIn, type PodSpec, podSpecOf, textOf, the } from './manifests.ts';

/** What the pods of agent and MIC promise to the programs in them; the overlays and the chart are held equal to these. */
const nmi = podSpecOf(the('DaemonSet', 'nmi', documentsIn(textOf('base/nmi.yaml'))));
const mic = podSpecOf(the('Deployment', 'mic', documentsIn(textOf('components/mic/mic.yaml'))));
const source = (path: string): string => readFileSync(join(daemonset, '..', path), 'utf8');

/** A constant of a source file, such as `const lastMs = 20_000;`. */
function constant(path: string, name: string): number {
  const [, text] = new RegExp(`^const ${name} = ([0-9_]+);$`, 'm').exec(source(path)) ?? [];
  if (text === undefined) throw new Error(`${path} has no ${name}`);
  return Number(text.replaceAll('_', ''));
}

const units: Readonly<Record<string, number>> = { Mi: 2 ** 20, Gi: 2 ** 30 };

/** `512Mi` in bytes. */
function bytes(quantity: unknown): number {
  const [, count, unit = ''] = /^(\d+)(Mi|Gi)$/.exec(String(quantity)) ?? [];
  const size = units[unit];
  if (size === undefined) throw new Error(`${quantity} is no quantity`);
  return Number(count) * size;
}

t.test(
  'probes reach this very agent: programs in the pod that read the file which it writes, no port',
  async (t) => {
    const { args = [], livenessProbe, readinessProbe, volumeMounts, ports } = nmi.containers[0];
    const [, file = ''] =
      /^--probe-file=(.+)$/.exec(args.find((arg) => arg.startsWith('--probe-file')) ?? '') ?? [];
    for (const [probe, word] of [
      [livenessProbe, 'live'],
      [readinessProbe, 'ready'],
    ] as const) {
      const { exec, httpGet, tcpSocket } = probe as Record<string, unknown>;
      t.same(exec, { command: ['/pod-identity/bin/probe', word, file] });
      t.same([httpGet, tcpSocket], [undefined, undefined]);
    }
    t.equal(ports, undefined, 'with hostNetwork they are the host’s');
    const mounts = volumeMounts as readonly { readonly name: string; readonly mountPath: string }[];
    const own = mounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`))?.name;
    const volume = nmi.volumes?.find(({ name }) => name === own);
    t.match(
      volume,
      { emptyDir: { medium: 'Memory' } },
      'the file is on no folder of the node’s, which two agents would share',
    );
  },
);

t.test(
  'the pods may end in their own time: grace above the last moment, and that above drain and decision',
  async (t) => {
    const grace = ({ terminationGracePeriodSeconds }: PodSpec): number =>
      Number(terminationGracePeriodSeconds) * 1_000;
    const last = constant('lib/platform/end-signal.ts', 'lastMs');
    const [drain, decision] = [
      constant('lib/nmi.ts', 'drainMs'),
      constant('lib/nmi/leaving.ts', 'lastLookMs'),
    ];
    t.ok(drain + decision < last && last < grace(nmi), `${drain} + ${decision}, ${last}, ${grace(nmi)}`);
    t.ok(last < grace(mic));
  },
);

t.test(
  'memory is asked for and limited, the heap is bounded below that, and the CPU is left open',
  async (t) => {
    for (const [program, spec] of [
      ['nmi', nmi],
      ['mic', mic],
    ] as const) {
      const { requests, limits } = spec.containers[0].resources as Record<string, Record<string, string>>;
      const [, heapMb] = /--max-old-space-size=(\d+)/.exec(source(`bin/${program}`)) ?? [];
      const heap = Number(heapMb) * 2 ** 20;
      // Beside the heap there are Node itself, 60 MB at rest, and the programs that it starts.
      t.ok(heap + 128 * 2 ** 20 <= bytes(limits?.memory), `${program}: ${heapMb} MB of ${limits?.memory}`);
      t.ok(bytes(requests?.memory) <= bytes(limits?.memory));
      t.match(requests?.cpu, /^\d+m$/);
      t.equal(limits?.cpu, undefined, 'a limit would hold up a start, and with it every pod of the node');
    }
  },
);

t.test('all capabilities are dropped, and a comment says of each that is added what it is for', async (t) => {
  const { securityContext } = nmi.containers[0] as unknown as {
    readonly securityContext: {
      readonly capabilities: { readonly drop: unknown; readonly add: readonly string[] };
    };
  };
  const { drop, add } = securityContext.capabilities;
  t.same(drop, ['ALL']);
  t.ok(add.length > 0);
  for (const capability of add)
    t.match(textOf('base/nmi.yaml'), new RegExp(`# .*\\b${capability}\\b`), capability);
});
