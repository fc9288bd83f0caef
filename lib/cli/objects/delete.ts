import { azureAssignedIdentities, azureIdentityBindings } from '../../kube/resources.ts';
import { isAppError } from '../../model/errors.ts';
import { compare } from '../../model/order.ts';
import { clean } from '../../model/text.ts';
import { exit } from '../exit.ts';
import { inNamespace, itemsOf, listIfInstalled } from '../lists.ts';
import type { Report } from '../report.ts';
import { type Call, verb } from '../verb.ts';
import { nameFlag, nameIn, waitFlags } from './flags.ts';
import { checkName } from './manifest.ts';
import { after, find, remove, titleOf } from './store.ts';

const flags = { name: nameFlag, ...waitFlags };
/** Between two looks whether it is gone, ms. */
const lookMs = 1_000;

/** `az aks pod-identity delete` */
export const deleteVerb = verb({
  name: 'delete',
  words: '[NAME]',
  count: [0, 1],
  summary: 'Take an identity from the pods: the AzureIdentity and every binding that names it',
  about: `
podid delete --namespace my-app --name demo

Waits until no pod has it any more. MIC leaves it on the machines for its --unassign-grace, and then takes it off.
Status 4: some pod still has it when the time is over.
`,
  flags,
  run: async (call) => {
    const name = nameIn(call.flags, call.words);
    checkName(name);
    const { namespace } = call.cluster;
    const deleted = await deleteAll(call, { namespace, name });
    if (!call.flags.wait) return report({ deleted, left: [] });
    return report({ deleted, left: await whileHeld(call, { namespace, name }) });
  },
});

interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** The bindings first: one that names nothing keeps its pods waiting. */
async function deleteAll(
  { cluster, signal }: Call<typeof flags>,
  { namespace, name }: Place,
): Promise<string[]> {
  const { connection } = cluster;
  const items = await itemsOf(connection, inNamespace(azureIdentityBindings, namespace), { signal });
  const bindings = items.filter(({ azureIdentity }) => azureIdentity === name);
  const places = [
    ...bindings.map(
      (each) => ({ kind: 'AzureIdentityBinding', metadata: { namespace, name: each.name } }) as const,
    ),
    { kind: 'AzureIdentity', metadata: { namespace, name } } as const,
  ];
  const deleted: string[] = [];
  for (const place of places) {
    try {
      if (await remove(connection, place, signal)) deleted.push(titleOf(place));
    } catch (error) {
      throw after(
        deleted.map((title) => `${title} deleted`),
        error,
      );
    }
  }
  return deleted;
}

/** Waits; gives what still holds the identity when the time is over. */
async function whileHeld(call: Call<typeof flags>, place: Place): Promise<readonly string[]> {
  const { clock, signal, screen, flags: given } = call;
  const until = clock.monotonic() + given.timeout;
  for (;;) {
    const left = await holders(call, place);
    if (left.length === 0 || clock.monotonic() >= until) return left;
    screen.progress(`waiting for ${left.length} to let go of it: ${left.slice(0, 3).join(', ')}`);
    await clock.sleep(lookMs, signal);
    signal.throwIfAborted();
  }
}

/** The AzureIdentity itself while somebody's finalizer keeps it, and the pods that have it by MIC's word. */
async function holders(call: Call<typeof flags>, place: Place): Promise<string[]> {
  const identity = { kind: 'AzureIdentity', metadata: place } as const;
  const stays = await find(call.cluster.connection, identity, call.signal);
  return [...(stays === undefined ? [] : [titleOf(identity)]), ...(await podsWith(call, place))];
}

/** None where the assignments may not be read: nobody can be told to wait for what he cannot see. */
async function podsWith({ cluster, signal }: Call<typeof flags>, place: Place): Promise<string[]> {
  try {
    const { items } = await listIfInstalled(cluster.connection, azureAssignedIdentities(undefined), signal);
    return items
      .filter(({ state }) => state !== 'Unassigned')
      .filter(({ identity }) => identity.namespace === place.namespace && identity.name === place.name)
      .map(({ podNamespace, pod }) => `Pod ${clean(podNamespace)}/${clean(pod)}`)
      .sort(compare);
  } catch (error) {
    if (isAppError(error, 'kube-refused')) return [];
    throw error;
  }
}

function report({
  deleted,
  left,
}: {
  readonly deleted: readonly string[];
  readonly left: readonly string[];
}): Report {
  const lines = [
    ...deleted.map((title) => `${title} deleted`),
    ...left.map(
      (title) =>
        `${title} ${title.startsWith('Pod ') ? 'still has it' : 'is not gone: a finalizer keeps it'}`,
    ),
  ];
  return {
    status: left.length > 0 ? exit.wait : exit.ok,
    data: { deleted, left },
    text: () => `${lines.join('\n') || 'nothing of that name is there'}\n`,
  };
}
