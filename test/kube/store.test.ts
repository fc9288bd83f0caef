import t from 'tap';
import { Interner } from '../../lib/kube/interner.ts';
import { Store } from '../../lib/kube/store.ts';

interface Item {
  readonly namespace: string;
  readonly name: string;
  readonly colour: string;
}

const item = (name: string, colour = 'red'): Item => ({ namespace: 'ns', name, colour });

t.test('tells of what has changed, and of nothing else', async (t) => {
  let changes = 0;
  const store = new Store<Item>(() => void changes++);
  store.replace([item('a'), item('b')]);
  t.equal(changes, 1);
  store.upsert(item('a'));
  store.remove('ns/none');
  t.equal(changes, 1);
  store.upsert(item('a', 'blue'));
  store.upsert(item('c'));
  store.remove('ns/b');
  t.equal(changes, 4);
  t.strictSame([...store.values()], [item('a', 'blue'), item('c')]);
  t.equal(store.size, 2);
});

t.test('drops what a new list has not, and keeps the very object that says the same', async (t) => {
  const store = new Store<Item>(() => undefined);
  store.replace([item('a'), item('b'), item('c')]);
  const before = store.get('ns/a');
  store.replace([item('a'), item('b', 'blue')]);
  t.equal(store.get('ns/a'), before);
  t.strictSame(store.get('ns/b'), item('b', 'blue'));
  t.equal(store.get('ns/c'), undefined);
});

t.test('knows what has no namespace by its name', async (t) => {
  const store = new Store<{ readonly name: string }>(() => undefined);
  store.upsert({ name: 'node-1' });
  t.ok(store.get('node-1'));
  store.remove('node-1');
  t.equal(store.size, 0);
});

t.test('shares equal labels, with any key, and forgets what has not come up for long', async (t) => {
  const interner = new Interner(10);
  const labels = JSON.parse('{"__proto__":"x","constructor":"y"}');
  const first = interner.labels(labels);
  t.strictSame(Object.entries(first), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  t.equal(interner.labels({ ...labels }), first);
  t.not(interner.labels({ a: 'x' }), first);
  for (let i = 0; i < 100; i++) interner.text(`name ${i}`);
  t.not(interner.labels(labels), first);
  t.strictSame(interner.labels(labels), first);
});
