import t from 'tap';
import type { AzureAssignedIdentity } from '../../lib/model/assigned-identity.ts';
import { AssignedIdentities, Bindings, Identities } from '../../lib/policy/books.ts';
import { decide } from '../../lib/policy/decide.ts';
import { Exceptions } from '../../lib/policy/exceptions.ts';
import { managedCandidates } from '../../lib/policy/managed.ts';
import type { Shelf } from '../../lib/policy/shelf.ts';
import { standardCandidates } from '../../lib/policy/standard.ts';
import { aBinding, anAssigned, anException, anIdentity, aPod } from '../fakes/model.ts';

const many = 2_000;
const each = <T>(make: (i: number) => T): T[] => Array.from({ length: many }, (_, i) => make(i));

interface Named {
  readonly namespace: string;
  readonly name: string;
}

interface Work {
  /** Places that were asked. */
  places: number;
  /** Objects that were looked at. */
  objects: number;
}

/** Counts what the shelf is asked from now on. */
function counted<I extends Named, S extends Shelf<I>>(shelf: S & Shelf<I>, work: Work): S {
  const { at, get } = shelf;
  shelf.at = function* (place: string) {
    work.places++;
    for (const item of at.call(shelf, place)) {
      work.objects++;
      yield item;
    }
  };
  shelf.get = (key) => {
    work.objects++;
    return get.call(shelf, key);
  };
  return shelf;
}

t.test(
  "2,000 exceptions cost a pod one question for each of its labels, and no look at others' objects",
  async (t) => {
    for (const matchAll of [false, true]) {
      const work: Work = { places: 0, objects: 0 };
      const exceptions = new Exceptions();
      exceptions.replace([
        ...each((i) =>
          anException({ name: `e${i}`, podLabels: { app: `agent-${i}`, tier: `t${i}` }, matchAll }),
        ),
        ...each((i) => anException({ namespace: `n${i}`, podLabels: { app: 'web', tier: 't7' }, matchAll })),
      ]);
      counted(exceptions, work);
      t.equal(exceptions.covering(aPod({ labels: { app: 'web', tier: 'front', more: 'x' } })), undefined);
      t.same(work, { places: 3, objects: 0 });
      const covered = aPod({ labels: { app: 'agent-7', tier: 't7' } });
      t.equal(exceptions.covering(covered), 'AzurePodIdentityException apps/e7');
      t.same(work, { places: 4, objects: 1 });
    }
  },
);

t.test('2,000 identities and bindings cost a managed pod its own alone', async (t) => {
  const work: Work = { places: 0, objects: 0 };
  const bindings = new Bindings();
  const identities = new Identities();
  const podSelector = { matchLabels: {}, matchExpressions: [] };
  bindings.replace([
    ...each((i) => aBinding({ name: `b${i}`, selector: `web-${i}`, azureIdentity: `i${i}` })),
    ...each((i) => aBinding({ namespace: `n${i}`, selector: 'web-7' })),
    ...each((i) => aBinding({ namespace: `n${i}`, name: 'all', selector: '', podSelector })),
  ]);
  identities.replace(each((i) => anIdentity({ name: `i${i}`, clientId: `c${i}` })));
  const candidatesOf = managedCandidates(counted(bindings, work), counted(identities, work));
  const pod = aPod({ labels: { aadpodidbinding: 'web-7' } });
  const books = { candidatesOf, objectIdOf: () => undefined, namespaced: true };
  t.match(decide(pod, { resource: 'x' }, books), { kind: 'allow', binding: 'b7' });
  t.same(work, { places: 2, objects: 2 }, 'its binding and its identity');
});

t.test('2,000 assignments and bindings cost a pod of standard mode its own alone', async (t) => {
  const work: Work = { places: 0, objects: 0 };
  const bindings = new Bindings();
  const assigned = new AssignedIdentities();
  bindings.replace(each((i) => aBinding({ namespace: `n${i}`, selector: `web-${i}` })));
  const bound = (i: number): AzureAssignedIdentity['binding'] => ({
    ...anAssigned().binding,
    selector: `web-${i}`,
  });
  assigned.replace(each((i) => anAssigned({ name: `a${i}`, pod: `web-${i}`, binding: bound(i) })));
  const options = { namespaced: false };
  const candidatesOf = standardCandidates(counted(assigned, work), counted(bindings, work), options);
  const pod = aPod({ name: 'web-7', labels: { aadpodidbinding: 'web-7' } });
  const books = { candidatesOf, objectIdOf: () => undefined, namespaced: false };
  t.match(decide(pod, { resource: 'x' }, books), { kind: 'allow' });
  t.same(work, { places: 3, objects: 2 }, 'its assignment and its binding');
});
