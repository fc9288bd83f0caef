import { type Rule, tell } from './rule.ts';

/** What the agent is put together from. */
const agentParts = [
  'model',
  'platform',
  'config',
  'kube',
  'redirect',
  'metadata',
  'tokens',
  'policy',
  'pods',
];

/** What MIC is put together from. */
const micParts = ['model', 'platform', 'config', 'kube', 'tokens', 'assign'];

/** What each folder of lib, each composition and bin may import beside itself: folders of lib, or single files. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  platform: ['model/errors.ts'],
  config: ['model'],
  kube: ['model', 'platform'],
  redirect: ['model', 'platform'],
  metadata: ['model', 'platform'],
  tokens: ['model', 'platform'],
  policy: ['model', 'platform'],
  pods: ['model', 'platform', 'kube'],
  assign: ['model', 'platform'],
  'nmi.ts': [...agentParts, 'nmi'],
  nmi: agentParts,
  'mic.ts': [...micParts, 'mic'],
  mic: micParts,
  cli: [...agentParts, 'assign'],
  workload: ['model', 'platform', 'config'],
  demo: ['model', 'platform', 'config', 'workload'],
  identityvalidator: ['model', 'platform', 'config', 'workload'],
  bin: [
    ...['model', 'platform', 'config', 'kube/settings.ts'],
    ...['nmi.ts', 'mic.ts', 'cli', 'workload', 'demo', 'identityvalidator'],
  ],
};

/** Values in, values out: neither clock nor log nor I/O, so that tables test them. A name that ends in `/` is a folder. */
export const pure: readonly string[] = [
  'lib/model/',
  'lib/policy/',
  'lib/pods/pod-index.ts',
  'lib/redirect/rules.ts',
  'lib/redirect/compare.ts',
  'lib/redirect/front.ts',
  'lib/redirect/on-shutdown.ts',
  'lib/tokens/authority.ts',
  'lib/metadata/canonical.ts',
  'lib/metadata/routes.ts',
  'lib/metadata/query.ts',
  'lib/assign/arm-error.ts',
  'lib/assign/identity-patch.ts',
  'lib/assign/changes.ts',
  'lib/assign/desired.ts',
  'lib/assign/difference.ts',
  'lib/assign/draft.ts',
  'lib/assign/ending.ts',
  'lib/assign/grant-problems.ts',
  'lib/assign/grants.ts',
  'lib/assign/immutable.ts',
  'lib/assign/leftover.ts',
  'lib/assign/machine.ts',
  'lib/assign/operation.ts',
  'lib/assign/places.ts',
  'lib/assign/plan.ts',
  'lib/assign/prewarm.ts',
  'lib/assign/problem.ts',
  'lib/assign/resource-id.ts',
  'lib/assign/snapshot.ts',
  'lib/assign/spots.ts',
  'lib/assign/survey.ts',
];

/** What stands in a pure folder and is not: the hold waits, so it is handed a Clock. */
export const impure: readonly string[] = ['lib/policy/hold.ts'];

const isPure = (path: string): boolean =>
  !impure.includes(path) && pure.some((one) => (one.endsWith('/') ? path.startsWith(one) : path === one));

/** `lib/kube/pods.ts` → `kube`, `lib/nmi.ts` → `nmi.ts`, `lib/nmi/stages.ts` → `nmi`, `bin/nmi.ts` → `bin`. */
function layerOf(path: string): string | undefined {
  const [top, layer] = path.split('/');
  return top === 'bin' ? 'bin' : top === 'lib' ? layer : undefined;
}

export const importTable: Rule = {
  promise: 'every folder imports only what its row allows',
  reason:
    'a stage is handed its neighbours as arguments by lib/nmi.ts or lib/mic.ts: it never imports another stage, nothing imports the compositions (lib/nmi/ is a part of lib/nmi.ts, lib/mic/ of lib/mic.ts), model imports nothing, and the Kubernetes API is reached from pods and the compositions alone (table mayImport in test/architecture/imports.ts)',
  breaches: (file) => {
    const layer = layerOf(file.path);
    if (layer === undefined) return [];
    const allowed = mayImport[layer];
    if (!allowed) return [`${file.path} stands in a place that has no row`];
    const own = (name: string): boolean => layerOf(name) === layer;
    return file.imports
      .filter(({ name }) => /^(\.\.|lib|bin|test|scripts)(\/|$)/.test(name) && !own(name))
      .filter(({ name }) => !allowed.some((one) => name === `lib/${one}` || name.startsWith(`lib/${one}/`)))
      .map((mention) => tell(file, 'imports', mention));
  },
  broken: [
    ['lib/pods/a.ts', "import { decide } from '../policy/decide.ts';"],
    ['lib/metadata/a.ts', "import type { Holder } from '../pods/pod-index.ts';"],
    ['lib/metadata/a.ts', "export { listOnce } from '../kube/list.ts';"],
    ['lib/tokens/a.ts', "const { listOnce } = await import('../kube/list.ts');"],
    ['lib/kube/a.ts', "let x: import('../pods/pod-index.ts').Holder;"],
    ['lib/redirect/a.ts', "import { runNmi } from '../nmi.ts';"],
    ['lib/metadata/a.ts', "import { clusterOf } from '../nmi/cluster.ts';"],
    ['lib/nmi/a.ts', "import { runNmi } from '../nmi.ts';"],
    ['lib/nmi/a.ts', "import { plan } from '../assign/plan.ts';"],
    ['lib/mic.ts', "import { stagesOf } from './nmi/stages.ts';"],
    ['lib/mic/a.ts', "import { runMic } from '../mic.ts';"],
    ['lib/mic/a.ts', "import { Governor } from '../nmi/stages.ts';"],
    ['lib/assign/a.ts', "import { Connection } from '../kube/connection.ts';"],
    ['bin/a.ts', "import { stagesOf } from '../lib/nmi/stages.ts';"],
    ['lib/model/a.ts', "import { clock } from '../platform/clock.ts';"],
    ['lib/platform/a.ts', "import type { Pod } from '../model/pod.ts';"],
    ['lib/mic.ts', "import { createRedirect } from './redirect/redirect.ts';"],
    ['lib/config/a.ts', "import { FakeClock } from '../../test/fakes/clock.ts';"],
    ['lib/helpers/a.ts', ''],
    ['bin/a.ts', "import { Broker } from '../lib/tokens/broker.ts';"],
  ],
  sound: [
    [
      'lib/pods/a.ts',
      "import { listOnce } from '../kube/list.ts';\nimport { PodIndex } from './pod-index.ts';",
    ],
    ['lib/config/a.ts', "import manifest from '../../package.json' with { type: 'json' };"],
    ['lib/platform/a.ts', "import { AppError } from '../model/errors.ts';"],
    [
      'lib/nmi.ts',
      "import { decide } from './policy/decide.ts';\nimport { stagesOf } from './nmi/stages.ts';",
    ],
    [
      'lib/nmi/a.ts',
      "import { decide } from '../policy/decide.ts';\nimport { clusterOf } from './cluster.ts';",
    ],
    ['bin/a.ts', "import { runNmi } from '../lib/nmi.ts';"],
    ['test/pods/a.ts', "import { decide } from '../../lib/policy/decide.ts';"],
  ],
};

export const purity: Rule = {
  promise: 'pure files import model and each other, and touch nothing outside',
  reason:
    'what decides is a function of its arguments, so that a table can test all of it: no package, no node: module, no process, no chance',
  breaches: (file) =>
    !isPure(file.path)
      ? []
      : [
          ...file.imports
            .filter(({ name }) => !isPure(name))
            .map((mention) => tell(file, 'imports', mention)),
          ...file.uses
            .filter(({ name }) => /^(process|fetch|Math\.random|crypto|globalThis)\b/.test(name))
            .map((mention) => tell(file, 'uses', mention)),
        ],
  broken: [
    ['lib/policy/a.ts', "import type { Clock } from '../platform/clock.ts';"],
    ['lib/redirect/rules.ts', "import { systemIptables } from './iptables.ts';"],
    ['lib/metadata/query.ts', "import { parse } from 'node:querystring';"],
    ['lib/pods/pod-index.ts', "import { isIP } from 'node:net';"],
    ['lib/model/a.ts', "import ipaddr from 'ip-address';"],
    ['lib/policy/a.ts', "import { Hold } from './hold.ts';"],
    ['lib/policy/a.ts', 'const first = identities[Math.floor(Math.random() * 2)];'],
  ],
  sound: [
    ['lib/policy/a.ts', "import type { Pod } from '../model/pod.ts';\nimport { decide } from './decide.ts';"],
    ['lib/policy/hold.ts', "import type { Clock } from '../platform/clock.ts';"],
    ['lib/redirect/compare.ts', "import { chainLines } from './rules.ts';"],
    ['lib/redirect/keeper.ts', "import { readFile } from 'node:fs/promises';"],
  ],
};
