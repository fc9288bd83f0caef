import t from 'tap';
import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import { Bindings, Identities } from '../../lib/policy/books.ts';
import { aBinding, anIdentity } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';

const namesOf = (bindings: readonly AzureIdentityBinding[]): string[] =>
  bindings.map(({ name }) => name).sort();

t.test('a binding that is edited is found by its new selector alone', async (t) => {
  const bindings = new Bindings();
  bindings.upsert(aBinding());
  bindings.upsert(aBinding({ selector: 'api' }));
  t.same(bindings.selecting('apps', 'web'), []);
  t.same(namesOf(bindings.selecting('apps', 'api')), ['demo-binding']);
  bindings.upsert(aBinding({ selector: '' }));
  t.same(bindings.selecting('apps', 'api'), []);
  t.same(bindings.selecting('apps', ''), [], 'and by none when it has none');
  bindings.upsert(aBinding({ selector: 'web', weight: 3 }));
  t.match(bindings.selecting('apps', 'web'), [{ weight: 3 }]);
});

t.test('a binding is removed from its namespace alone', async (t) => {
  const bindings = new Bindings();
  bindings.replace([aBinding(), aBinding({ namespace: 'other' }), aBinding({ name: 'second' })]);
  bindings.remove('other/demo-binding');
  bindings.remove('other/second');
  bindings.remove('never/known');
  t.same(namesOf(bindings.selecting('apps', 'web')), ['demo-binding', 'second']);
  t.same(bindings.selecting('other', 'web'), []);
});

t.test('what a caller does with an answer changes nothing in the books', async (t) => {
  const bindings = new Bindings();
  bindings.upsert(aBinding());
  bindings.selecting('apps', 'web').pop();
  t.equal(bindings.selecting('apps', 'web').length, 1);
});

t.test('an identity is known by namespace and name, in its last form', async (t) => {
  const identities = new Identities();
  identities.replace([
    anIdentity({ clientId: 'old' }),
    anIdentity({ namespace: 'other', clientId: 'theirs' }),
  ]);
  identities.upsert(anIdentity({ clientId: 'new' }));
  t.equal(identities.get('apps', 'demo')?.clientId, 'new');
  t.equal(identities.get('other', 'demo')?.clientId, 'theirs');
  t.equal(identities.get('apps', 'none'), undefined);
  t.equal(identities.get('apps', 'constructor'), undefined);
  identities.remove('apps/demo');
  t.equal(identities.get('apps', 'demo'), undefined);
  identities.replace([]);
  t.equal(identities.get('other', 'demo'), undefined);
});

t.test('after any changes bindings answer as a scan of all would (seeded)', async (t) => {
  const random = seeded(5);
  const bindings = new Bindings();
  const all = new Map<string, AzureIdentityBinding>();
  for (let step = 0; step < 3000; step++) {
    const binding = aBinding({
      namespace: pick(['apps', 'other'], random),
      name: pick(['a', 'b', 'c', 'd'], random),
      selector: pick(['', 'web', 'api', 'Web', 'apps/web'], random),
      weight: step,
    });
    change({ all, into: bindings, item: binding, dice: random() });
    const [namespace, label] = [
      pick(['apps', 'other'], random),
      pick(['', 'web', 'api', 'Web', 'apps/web'], random),
    ];
    const expected = [...all.values()].filter(
      (one) => label !== '' && one.namespace === namespace && one.selector === label,
    );
    const byWeight = (a: AzureIdentityBinding, b: AzureIdentityBinding): number => a.weight - b.weight;
    const found = bindings.selecting(namespace, label).sort(byWeight);
    if (JSON.stringify(found) !== JSON.stringify(expected.sort(byWeight)))
      return t.same(found, expected, `step ${step}`);
  }
  t.pass();
});

t.test('after any changes identities answer as a scan of all would (seeded)', async (t) => {
  const random = seeded(6);
  const identities = new Identities();
  const all = new Map<string, AzureIdentity>();
  for (let step = 0; step < 2000; step++) {
    const [namespace, name] = [pick(['apps', 'other'], random), pick(['a', 'b', 'c'], random)];
    const identity = anIdentity({ namespace, name, clientId: String(step) });
    change({ all, into: identities, item: identity, dice: random() });
    const asked = pick(['a', 'b', 'c'], random);
    const expected = [...all.values()].find((one) => one.namespace === namespace && one.name === asked);
    if (identities.get(namespace, asked) !== expected)
      return t.same(identities.get(namespace, asked), expected, `step ${step}`);
  }
  t.pass();
});

interface Change<T> {
  readonly all: Map<string, T>;
  readonly into: { upsert(item: T): void; remove(key: string): void; replace(items: Iterable<T>): void };
  readonly item: T;
  readonly dice: number;
}

/** The same change to the books and to the plain map: mostly an upsert, sometimes a removal, seldom a new list. */
function change<T extends { namespace: string; name: string }>({ all, into, item, dice }: Change<T>): void {
  const key = `${item.namespace}/${item.name}`;
  if (dice < 0.03) {
    all.clear();
    all.set(key, item);
    into.replace([item]);
  } else if (dice < 0.35) {
    all.delete(key);
    into.remove(key);
  } else {
    all.set(key, item);
    into.upsert(item);
  }
}
