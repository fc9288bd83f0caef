import t from 'tap';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import { seeded } from '../fakes/random.ts';
import { bindingSelects, isKept, isMeant, randomWorld, type Whole } from './naive.ts';
import { booksOf, brief, decided } from './worlds.ts';

interface Told {
  readonly identity: AzureIdentity;
  readonly binding: string;
  readonly weight: number;
}

/** What the objects of the world say, found by scanning all of them. `coming` without an identity: nobody knows which. */
interface Sayings {
  readonly ready: readonly Told[];
  readonly coming: readonly { readonly code: string; readonly identity?: AzureIdentity }[];
}

/** An object that is written twice stands as it was written last. */
function last<T extends { namespace: string; name: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [`${item.namespace}/${item.name}`, item])).values()];
}

function managedSayings({ pod, bindings, identities }: Whole): Sayings {
  const selecting = last(bindings).filter((binding) => bindingSelects(binding, pod, false));
  const found = selecting.map(({ namespace, name, azureIdentity, weight }) => ({
    identity: last(identities).find((one) => one.namespace === namespace && one.name === azureIdentity),
    binding: name,
    weight,
  }));
  return {
    ready: found.flatMap(({ identity, ...rest }) => (identity ? [{ identity, ...rest }] : [])),
    coming: found.filter(({ identity }) => !identity).map(() => ({ code: 'identity-missing' })),
  };
}

function standardSayings({ pod, bindings, assigned, namespaced }: Whole): Sayings {
  const own = assigned.filter(
    (one) =>
      one.pod === pod.name &&
      one.podNamespace === pod.namespace &&
      ['', pod.node].includes(one.node) &&
      one.state !== 'Unassigned' &&
      ['default', pod.namespace].includes(one.namespace) &&
      (one.namespace === 'default' || one.identity.namespace === pod.namespace) &&
      ['', pod.labels.aadpodidbinding ?? ''].includes(one.binding.selector),
  );
  const selecting = last(bindings).filter((binding) => bindingSelects(binding, pod, !namespaced));
  const due = selecting.filter(
    ({ namespace, name }) =>
      !own.some(({ binding }) => binding.namespace === namespace && binding.name === name),
  );
  const waitsForBinding = pod.labels.aadpodidbinding && own.length + selecting.length === 0;
  return {
    ready: own
      .filter(({ state }) => state !== 'Created')
      .map(({ identity, binding }) => ({ identity, binding: binding.name, weight: binding.weight })),
    coming: [
      ...own
        .filter(({ state }) => state === 'Created')
        .map(({ identity }) => ({ code: 'not-assigned', identity })),
      ...due.map(() => ({ code: 'assignment-missing' })),
      ...(waitsForBinding ? [{ code: 'binding-missing' }] : []),
    ],
  };
}

const sayings = (world: Whole): Sayings =>
  world.mode === 'managed' ? managedSayings(world) : standardSayings(world);

/** Every answer that the words of the design allow; mostly one. Of two reasons to wait, either will do. */
function expected(world: Whole): readonly string[] {
  const { ready, coming } = sayings(world);
  const meant = ready.filter(({ identity }) => isMeant(identity, world));
  const free = meant.filter(({ identity }) => !isKept(identity, world));
  if (free.length > 0) return best(free);
  const hoped = coming.filter(({ identity }) => !identity || isMeant(identity, world));
  const worth = hoped.filter(({ identity }) => !identity || !isKept(identity, world));
  if (worth.length > 0) return worth.map(({ code }) => `wait ${code}`);
  if (meant.length + hoped.length > 0) return ['deny other-namespace'];
  if (world.selector && ready.length + coming.length > 0) return ['deny not-bound'];
  return [world.pod.labels.aadpodidbinding ? 'deny no-binding' : 'deny no-label'];
}

/** More than one where MIC tells of one identity twice, by one binding, in two versions. */
function best(told: readonly Told[]): string[] {
  const heaviest = Math.max(...told.map(({ weight }) => weight));
  const lines = told
    .filter(({ weight }) => weight === heaviest)
    .map(({ identity, binding }) => ({
      identity,
      line: `${identity.namespace}/${identity.name} by ${binding}`,
    }))
    .sort((a, b) => (a.line < b.line ? -1 : 1));
  return lines
    .filter(({ line }) => line === lines[0]?.line)
    .map(({ identity, line }) => (isNobody(identity) ? 'deny no-client-id' : `allow ${line}`));
}

const isNobody = ({ type, clientId }: AzureIdentity): boolean => type === 0 && clientId === '';

t.test('decides as a scan of every object would, over small worlds (seeded)', async (t) => {
  const random = seeded(31);
  const seen = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const world = randomWorld(random);
    const answer = brief(world);
    if (!expected(world).includes(answer))
      return t.same(answer, expected(world), `world ${i}: ${JSON.stringify(world)}`);
    const kind = answer.replace(/^allow .*/, 'allow');
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  const kinds = ['allow', 'wait identity-missing', 'wait assignment-missing', 'wait not-assigned'];
  kinds.push('wait binding-missing', 'deny no-label', 'deny no-binding', 'deny not-bound');
  kinds.push('deny other-namespace', 'deny no-client-id');
  t.same([...seen.keys()].sort(), kinds.sort(), 'and met every kind of answer');
  t.ok(Math.min(...seen.values()) > 50, JSON.stringify([...seen]));
});

t.test(
  'never allows what no binding or assignment gives the pod, or what a rule keeps (seeded)',
  async (t) => {
    const random = seeded(32);
    let allows = 0;
    for (let i = 0; i < 20_000; i++) {
      const world = randomWorld(random);
      const decision = decided(world);
      if (decision.kind !== 'allow') continue;
      allows++;
      const { identity } = decision;
      const given = sayings(world).ready.some((told) => told.identity === identity);
      const nobody = identity.type === 0 && identity.clientId === '';
      if (!given || nobody || isKept(identity, world) || !isMeant(identity, world))
        return t.fail(`world ${i}: ${JSON.stringify({ world, decision })}`);
    }
    t.ok(allows > 500, `${allows} of them`);
  },
);

t.test('gives nothing to a pod of which the objects say nothing (seeded)', async (t) => {
  const random = seeded(33);
  for (let i = 0; i < 5_000; i++) {
    const world = randomWorld(random);
    const books = booksOf(world);
    const stranger = { ...world.pod, namespace: 'stranger', name: 'stranger', labels: {} };
    const { kind } = decided({ ...world, pod: stranger });
    if (kind !== 'deny' || books.candidatesOf(stranger).ready.length > 0)
      return t.fail(`world ${i}: ${kind} ${JSON.stringify(world)}`);
  }
  t.pass();
});
