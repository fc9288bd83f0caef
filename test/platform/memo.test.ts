import t from 'tap';
import { remembering } from '../../lib/platform/memo.ts';

/** A function that remembers, and what it was really asked. */
function counted<T>(make: (text: string) => T) {
  const asked: string[] = [];
  const of = remembering((text) => {
    asked.push(text);
    return make(text);
  });
  return { asked, of };
}

t.test('makes the same of a text once', async (t) => {
  const { asked, of } = counted((text) => ({ text }));
  t.equal(of('a'), of('a'));
  t.same(of('b'), { text: 'b' });
  t.same(asked, ['a', 'b']);
});

t.test('asks again for what was nothing', async (t) => {
  const { asked, of } = counted(() => undefined);
  of('a');
  of('a');
  t.same(asked, ['a', 'a']);
});

t.test('keeps no long text', async (t) => {
  const { asked, of } = counted((text) => text.length);
  for (const length of [1_024, 1_024, 1_025, 1_025]) t.equal(of('x'.repeat(length)), length);
  t.same(
    asked.map((text) => text.length),
    [1_024, 1_025, 1_025],
  );
});

t.test('keeps 512 texts and no more', async (t) => {
  const { asked, of } = counted((text) => ({ text }));
  const all = (from: number, to: number): void => {
    for (let i = from; i < to; i++) of(String(i));
  };
  all(0, 512);
  all(0, 512);
  t.equal(asked.length, 512);
  all(512, 513);
  all(0, 1);
  t.same(asked.slice(512), ['512', '0']);
});
