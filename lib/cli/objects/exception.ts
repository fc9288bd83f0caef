import { flag } from '../../config/flag.ts';
import { text } from '../../config/types.ts';
import { usageError } from '../arguments.ts';
import { exit } from '../exit.ts';
import type { Report } from '../report.ts';
import { type Call, verb } from '../verb.ts';
import { appliedReport, dryRunReport } from './applied.ts';
import { dryRun, nameFlag, nameIn, overwriteFlag } from './flags.ts';
import { checkName, exceptionManifest, type Manifest, podLabelsOf } from './manifest.ts';
import { find, put, remove, titleOf } from './store.ts';

const podLabels = flag({
  flag: 'pod-labels',
  type: text,
  default: '',
  help: 'key=value of the pods, several with blanks or commas between; one of them on a pod is enough',
});

const addFlags = { name: nameFlag, podLabels, overwrite: overwriteFlag, dryRun };
const updateFlags = { name: nameFlag, podLabels, dryRun };
const deleteFlags = { name: nameFlag };

const words = '[NAME] [KEY=VALUE…]';
const count = [0, 50] as const;
const passes =
  'Pods with one of the labels get what they ask for as the node, with every identity that it has.';

/** `az aks pod-identity exception add` */
export const exceptionAddVerb = verb({
  name: 'exception add',
  words,
  count,
  summary: 'Let pods with a label pass to the metadata service as the node',
  about: `
podid exception add --namespace my-app --name legacy --pod-labels app=legacy team=billing

${passes}
`,
  flags: addFlags,
  run: async (call) => {
    const manifest = manifestIn(call);
    if (call.flags.dryRun) return dryRunReport([manifest]);
    const { overwrite } = call.flags;
    const result = await put(call.cluster.connection, manifest, { overwrite, signal: call.signal });
    return appliedReport([result], [passes]);
  },
});

/** `az aks pod-identity exception update` */
export const exceptionUpdateVerb = verb({
  name: 'exception update',
  words,
  count,
  summary: 'Change the labels of an exception',
  about: `
podid exception update --namespace my-app --name legacy --pod-labels app=legacy

The labels that are given take the place of all that it has.
`,
  flags: updateFlags,
  run: async (call) => {
    const manifest = manifestIn(call);
    if (call.flags.dryRun) return dryRunReport([manifest]);
    const { connection } = call.cluster;
    if ((await find(connection, manifest, call.signal)) === undefined) return absent(manifest, exit.no);
    return appliedReport([await put(connection, manifest, { overwrite: true, signal: call.signal })], []);
  },
});

/** `az aks pod-identity exception delete` */
export const exceptionDeleteVerb = verb({
  name: 'exception delete',
  words: '[NAME]',
  count: [0, 1],
  summary: 'Delete an exception: its pods get their own identities, and no others',
  about: `
podid exception delete --namespace my-app --name legacy
`,
  flags: deleteFlags,
  run: async ({ flags, words: given, cluster, signal }) => {
    const name = nameIn(flags, given);
    checkName(name);
    const place = {
      kind: 'AzurePodIdentityException' as const,
      metadata: { namespace: cluster.namespace, name },
    };
    if (!(await remove(cluster.connection, place, signal))) return absent(place, exit.ok);
    return {
      status: exit.ok,
      data: { deleted: [titleOf(place)] },
      text: () => `${titleOf(place)} deleted\n`,
    };
  },
});

function manifestIn({ flags, words: given, cluster }: Call<typeof updateFlags>): Manifest {
  const labels = podLabelsOf([flags.podLabels, ...given.filter((word) => word.includes('='))]);
  const names = given.filter((word) => !word.includes('='));
  if (names.length > 1) throw usageError(`unexpected ${JSON.stringify(names[1])}: one name is enough`);
  const name = nameIn(flags, names);
  return exceptionManifest({ namespace: cluster.namespace, name }, labels);
}

function absent(place: Pick<Manifest, 'kind' | 'metadata'>, status: Report['status']): Report {
  return { status, data: { deleted: [] }, text: () => `there is no ${titleOf(place)}\n` };
}
