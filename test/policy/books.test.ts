import t from 'tap';
import type { AzureAssignedIdentity } from '../../lib/model/assigned-identity.ts';
import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Pod } from '../../lib/model/pod.ts';
import { AssignedIdentities, Bindings, Identities } from '../../lib/policy/books.ts';
import { aBinding, anAssigned, anIdentity, aPod } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';
import { bindingSelects, randomWorld } from './naive.ts';

const podOf = (namespace: string, label: string): Pod =>
  aPod({ namespace, labels: { aadpodidbinding: label } });
const keysOf = (items: readonly { namespace: string; name: string }[]): string[] =>
  items.map(({ namespace, name }) => `${namespace}/${name}`);
const web = podOf('apps', 'web');

t.test('a binding that is edited is found by what it selects now alone', async (t) => {
  const bindings = new Bindings();
  const selecting = (label: string): string[] => keysOf(bindings.selecting(podOf('apps', label), false));
  bindings.upsert(aBinding());
  bindings.upsert(aBinding({ selector: 'api' }));
  t.same([selecting('web'), selecting('api')], [[], ['apps/demo-binding']]);
  bindings.upsert(aBinding({ selector: '' }));
  t.same([selecting('api'), selecting('')], [[], []]);
  bindings.upsert(aBinding({ podSelector: { matchLabels: {}, matchExpressions: [] }, selector: '' }));
  t.same([selecting('api'), selecting('')], [['apps/demo-binding'], ['apps/demo-binding']]);
  bindings.upsert(aBinding({ weight: 3 }));
  t.match(bindings.selecting(web, false), [{ weight: 3 }]);
  t.same(selecting('api'), []);
});

t.test('a binding is removed from its namespace alone', async (t) => {
  const bindings = new Bindings();
  bindings.replace([aBinding(), aBinding({ namespace: 'other' }), aBinding({ name: 'second' })]);
  bindings.remove('other/demo-binding');
  bindings.remove('other/second');
  bindings.remove('never/known');
  t.same(keysOf(bindings.selecting(web, false)), ['apps/demo-binding', 'apps/second']);
  t.same(keysOf(bindings.selecting(podOf('other', 'web'), false)), []);
});

t.test('bindings come from other namespaces only when asked for', async (t) => {
  const bindings = new Bindings();
  bindings.replace([aBinding({ namespace: 'other' }), aBinding(), aBinding({ namespace: '*', name: 'odd' })]);
  t.same(keysOf(bindings.selecting(web, false)), ['apps/demo-binding']);
  t.same(keysOf(bindings.selecting(web, true)), ['*/odd', 'apps/demo-binding', 'other/demo-binding']);
});

t.test('no spelling of a selector passes for that of another namespace', async (t) => {
  const bindings = new Bindings();
  const odd = ['apps/web', '*/web', '/web', 'web ', ' web'];
  bindings.replace(odd.map((selector, i) => aBinding({ namespace: 'other', name: `${i}`, selector })));
  for (const anyNamespace of [true, false]) t.same(bindings.selecting(web, anyNamespace), []);
});

t.test('what a caller does with an answer changes nothing in the books', async (t) => {
  const bindings = new Bindings();
  bindings.upsert(aBinding());
  bindings.selecting(web, false).pop();
  t.equal(bindings.selecting(web, false).length, 1);
});

t.test('an identity is known by namespace and name, in its last form', async (t) => {
  const identities = new Identities();
  const clientOf = (key: string): string | undefined => identities.get(key)?.clientId;
  identities.replace([
    anIdentity({ clientId: 'old' }),
    anIdentity({ namespace: 'other', clientId: 'theirs' }),
  ]);
  identities.upsert(anIdentity({ clientId: 'new' }));
  t.same([clientOf('apps/demo'), clientOf('other/demo')], ['new', 'theirs']);
  t.same(
    [clientOf('apps/none'), clientOf('constructor'), clientOf('demo')],
    [undefined, undefined, undefined],
  );
  identities.remove('apps/demo');
  t.equal(clientOf('apps/demo'), undefined);
  identities.replace([]);
  t.equal(clientOf('other/demo'), undefined);
});

t.test('assignments are found by their pod, on its node or on none, by name', async (t) => {
  const assigned = new AssignedIdentities();
  assigned.replace([
    anAssigned({ name: 'c', node: '' }),
    anAssigned({ name: 'b' }),
    anAssigned({ name: 'a', node: 'node2' }),
    anAssigned({ name: 'd', pod: 'web-2' }),
    anAssigned({ name: 'e', podNamespace: 'other' }),
    anAssigned({ name: 'f', podNamespace: 'apps/web', pod: '' }),
    anAssigned({ name: 'g', namespace: 'aaa' }),
  ]);
  t.same(keysOf(assigned.of(aPod())), ['aaa/g', 'apps/b', 'apps/c']);
  t.same(keysOf(assigned.of(aPod({ node: 'node2' }))), ['apps/a', 'apps/c']);
  assigned.upsert(anAssigned({ name: 'b', pod: 'web-2' }));
  assigned.remove('apps/c');
  t.same(keysOf(assigned.of(aPod())), ['aaa/g']);
});

t.test('after any changes the books answer as a scan of all would (seeded)', async (t) => {
  const random = seeded(5);
  const bindings = mirrored<AzureIdentityBinding, Bindings>(new Bindings());
  const assigned = mirrored<AzureAssignedIdentity, AssignedIdentities>(new AssignedIdentities());
  const identities = mirrored<AzureIdentity, Identities>(new Identities());
  for (let step = 0; step < 3_000; step++) {
    const { pod, bindings: some, assigned: more, identities: others } = randomWorld(random);
    for (const binding of some) bindings.change(binding, random());
    for (const one of more) assigned.change({ ...one, name: pick(['a', 'b', 'c'], random) }, random());
    for (const identity of others) identities.change(identity, random());
    const anyNamespace = random() < 0.5;
    const found = {
      bindings: bindings.shelf.selecting(pod, anyNamespace),
      assigned: assigned.shelf.of(pod),
      identity: identities.shelf.get('apps/a'),
    };
    const scanned = {
      bindings: bindings.sorted().filter((binding) => bindingSelects(binding, pod, anyNamespace)),
      assigned: assigned.sorted().filter((one) => one.pod === pod.name && ['', pod.node].includes(one.node)),
      identity: identities.sorted().find(({ namespace, name }) => namespace === 'apps' && name === 'a'),
    };
    if (JSON.stringify(found) !== JSON.stringify(scanned)) return t.same(found, scanned, `step ${step}`);
  }
  t.pass();
});

interface Book<T> {
  upsert(item: T): void;
  remove(key: string): void;
  replace(items: Iterable<T>): void;
}

/** A shelf beside a plain map that goes through the same changes: mostly an upsert, sometimes a removal, seldom a new list. */
function mirrored<T extends { namespace: string; name: string }, S extends Book<T>>(shelf: S) {
  const all = new Map<string, T>();
  const change = (item: T, dice: number): void => {
    const key = `${item.namespace}/${item.name}`;
    if (dice < 0.03) all.clear();
    if (dice >= 0.03 && dice < 0.35) {
      all.delete(key);
      shelf.remove(key);
      return;
    }
    all.set(key, item);
    if (dice < 0.03) shelf.replace([item]);
    else shelf.upsert(item);
  };
  const sorted = (): T[] =>
    [...all]
      .sort(([a], [b]) => (a.replace('/', '\0') < b.replace('/', '\0') ? -1 : 1))
      .map(([, item]) => item);
  return { shelf, change, sorted };
}
