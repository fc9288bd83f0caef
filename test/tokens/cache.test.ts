import t from 'tap';
import type { Token } from '../../lib/model/token.ts';
import { TokenCache } from '../../lib/tokens/cache.ts';
import { FakeClock } from '../fakes/clock.ts';
import { seeded } from '../fakes/random.ts';

const kB = 1024;
/** The most that is kept of one token, together with a key of two characters. */
const most = 16 * kB - 2;

interface Shelf {
  readonly cache: TokenCache;
  readonly clock: FakeClock;
  readonly dropped: string[];
  /** Keeps a token of this many bytes. */
  put(holder: string, resource: string, bytes?: number): void;
  has(holder: string, resource: string): boolean;
}

function shelf(): Shelf {
  const clock = new FakeClock();
  const dropped: string[] = [];
  const cache = new TokenCache({ clock, random: () => 0, onDropped: (why) => dropped.push(why) });
  const put = (holder: string, resource: string, bytes = 1): void =>
    void cache.put({ holder, key: holder + resource }, tokenOf(clock, bytes));
  const has = (holder: string, resource: string): boolean => cache.find(holder + resource) !== undefined;
  return { cache, clock, dropped, put, has };
}

function tokenOf(clock: FakeClock, bytes: number, lifeSec = 86_400): Token {
  const now = Math.floor(clock.now() / 1000);
  return { accessToken: 'x'.repeat(bytes), expiresOn: now + lifeSec, notBefore: now, tokenType: 'Bearer' };
}

t.test('keeps 64 tokens of one holder, and drops its own that was asked for longest ago', async (t) => {
  const { cache, put, has, dropped } = shelf();
  put('other', 'old');
  for (let i = 0; i < 64; i++) put('greedy', String(i));
  t.ok(has('greedy', '0'), 'all of them are held');
  t.same(dropped, []);
  put('greedy', 'one-more');
  t.ok(has('greedy', '0'), 'what was asked for lately stays');
  t.notOk(has('greedy', '1'), 'what was not has gone');
  for (let i = 0; i < 10_000; i++) put('greedy', `more-${i}`);
  t.ok(has('other', 'old'), 'and nobody else loses anything');
  t.equal(cache.size, 65);
});

t.test('a renewed token takes no second place, and one that is gone takes none', async (t) => {
  const { cache, put, dropped, has } = shelf();
  for (let i = 0; i < 64; i++) put('one', String(i));
  for (let i = 0; i < 64; i++) put('one', String(i));
  t.same([cache.size, dropped], [64, []]);
  cache.drop('one0');
  cache.drop('one0');
  put('one', 'next');
  t.same([cache.size, dropped], [64, []]);
  t.ok(has('one', '1'));
});

t.test('an expired token frees its place', async (t) => {
  const { cache, clock, put, has, dropped } = shelf();
  cache.put({ holder: 'one', key: 'oneshort' }, tokenOf(clock, 1, 600));
  for (let i = 0; i < 63; i++) put('one', String(i));
  await clock.advance(400_000);
  t.notOk(has('one', 'short'));
  put('one', 'next');
  t.ok(has('one', '0'));
  t.same(dropped, ['expired']);
});

t.test('keeps 32 MB, and drops what was asked for longest ago, whoever holds it', async (t) => {
  const { cache, put, has, dropped } = shelf();
  for (let i = 0; i < 2048; i++)
    put(String.fromCharCode(0x41 + (i >> 6)), String.fromCharCode(0x30 + (i & 63)), most);
  t.same([cache.size, dropped], [2048, []], 'full to the last byte');
  t.ok(has('A', '0'));
  put('z', 'z');
  t.same([has('A', '0'), has('A', '1'), has('A', '2')], [true, false, true]);
  t.same(dropped, ['full']);
  for (let i = 0; i < 100; i++) put('z', 'z', most);
  t.equal(cache.size, 2048, 'what is renewed is not counted twice');
});

t.test('keeps nothing above 16 kB in all, nor what it would have replaced', async (t) => {
  const { cache, clock, put, has, dropped } = shelf();
  put('h', 'k', most);
  t.ok(has('h', 'k'));
  put('h', 'k', most + 1);
  t.notOk(has('h', 'k'));
  const half = tokenOf(clock, most / 2);
  cache.put({ holder: 'h', key: 'hk' }, { ...half, auxiliary: [half] });
  t.ok(has('h', 'k'), 'a half and a half are a whole');
  cache.put({ holder: 'h', key: 'hk' }, { ...half, auxiliary: [half, tokenOf(clock, 1)] });
  t.notOk(has('h', 'k'), 'the tokens of auxiliary tenants count');
  put('h', 'k'.repeat(16 * kB));
  t.equal(cache.size, 0, 'and so does the resource');
  t.same(dropped, ['too-large', 'too-large', 'too-large']);
});

t.test('whatever is asked for, the bounds hold and the youngest stay', async (t) => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = seeded(seed);
    const { cache, put, has } = shelf();
    const kept = new Map<string, number>();
    for (let i = 0; i < 4_000; i++) {
      const holder = `holder-${Math.floor(60 * random())}`;
      const resource = `-${Math.floor(100 * random())}`;
      if (random() < 0.3) has(holder, resource);
      else if (random() < 0.1) cache.drop(holder + resource);
      else {
        const bytes = Math.floor(16_300 * random());
        put(holder, resource, bytes);
        if (!has(holder, resource)) return t.fail(`seed ${seed}: what was put last is not there`);
        kept.set(holder + resource, bytes + holder.length + resource.length);
      }
    }
    const left = [...kept].filter(([key]) => cache.find(key));
    const bytes = left.reduce((sum, [, each]) => sum + each, 0);
    t.equal(left.length, cache.size);
    if (bytes > 32 * kB * kB) t.fail(`seed ${seed}: ${bytes} bytes`);
    const owners = Object.entries(Object.groupBy(left, ([key]) => key.slice(0, key.lastIndexOf('-'))));
    for (const [holder, own = []] of owners)
      if (own.length > 64) t.fail(`seed ${seed}: ${own.length} of ${holder}`);
  }
});
