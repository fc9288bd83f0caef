import t from 'tap';
import { difference } from '../../lib/assign/difference.ts';

const want = (id: string, clientId: string | undefined = `client-${id}`) => ({ id, clientId });
const nothing = { add: [], remove: [], renew: [], kept: [] };

t.test('is what is wanted and not there, and what is to go and is', async (t) => {
  const plan = { wanted: [want('a'), want('b')], add: [want('b')], remove: ['c', 'd'], leaving: [] };
  const actual = new Map([
    ['a', 'client-a'],
    ['c', 'client-c'],
    ['foreign', 'x'],
  ]);
  t.same(difference(plan, actual, []), { ...nothing, add: ['b'], remove: ['c'] });
});

t.test('renews an identity that Azure does not know any more', async (t) => {
  const plan = { wanted: [want('a')], add: [], remove: [], leaving: [] };
  t.same(difference(plan, new Map([['a', '']]), ['']).renew, ['a']);
});

t.test(
  'renews one with another client id only where an object waits and the AzureIdentities agree',
  async (t) => {
    const actual = new Map([['a', 'old']]);
    const wanted = [want('a')];
    t.same(difference({ wanted, add: wanted, remove: [], leaving: [] }, actual, []).renew, ['a']);
    t.same(difference({ wanted, add: [], remove: [], leaving: [] }, actual, []), nothing);
    const unsure = [{ id: 'a', clientId: undefined }];
    t.same(difference({ wanted: unsure, add: unsure, remove: [], leaving: [] }, actual, []), nothing);
    t.same(
      difference({ wanted, add: wanted, remove: [], leaving: [] }, new Map([['a', 'CLIENT-A']]), []),
      nothing,
    );
  },
);

t.test('keeps what ARM says is immutable, whatever the AzureIdentity said', async (t) => {
  const plan = { wanted: [want('a'), want('b')], add: [want('a'), want('b')], remove: ['c'], leaving: [] };
  const actual = new Map([
    ['a', 'own'],
    ['b', ''],
    ['c', 'Own'],
  ]);
  t.same(difference(plan, actual, ['OWN', 'client-b']), { ...nothing, kept: ['c'] });
  t.same(difference(plan, new Map([['c', 'x']]), ['C']).kept, ['c'], 'by its ARM id');
});

t.test('takes off in its grace what Azure has deleted, and nothing else', async (t) => {
  const plan = { wanted: [], add: [], remove: [], leaving: ['dead', 'alive', 'away', 'own'] };
  const actual = new Map([
    ['dead', ''],
    ['alive', 'client-alive'],
    ['own', ''],
  ]);
  t.same(difference(plan, actual, ['own']), { ...nothing, remove: ['dead'] });
});
