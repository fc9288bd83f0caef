import t from 'tap';
import { Quota, usualRate } from '../../lib/metadata/quota.ts';
import { FakeClock } from '../fakes/clock.ts';

const everybody = (): boolean => true;

t.test('an address has so many requests in flight; one that leaves makes room', (t) => {
  const quota = new Quota(new FakeClock(), usualRate, everybody);
  for (let i = 0; i < 256; i++) t.equal(quota.enter('a'), undefined);
  t.match(quota.enter('a'), { code: 'too-many-in-flight', status: 429, headers: { 'retry-after': '1' } });
  t.equal(quota.enter('b'), undefined, 'another address is not concerned');
  quota.leave('a');
  t.equal(quota.enter('a'), undefined);
  t.match(quota.enter('a'), { code: 'too-many-in-flight' });
  t.end();
});

t.test('an address that asks too often is refused until its budget has filled again', async (t) => {
  const clock = new FakeClock();
  const quota = new Quota(clock, usualRate, everybody);
  quota.enter('somebody else');
  const ask = (): string => {
    const refused = quota.enter('a');
    if (!refused) quota.leave('a');
    return refused?.code ?? 'in';
  };
  for (let i = 0; i < usualRate.burst; i++) t.equal(ask(), 'in');
  t.equal(ask(), 'too-many-requests');
  await clock.advance(1_000);
  const second = Array.from({ length: 300 }, ask);
  t.equal(second.filter((code) => code === 'in').length, usualRate.perSecond);
});

t.test('what is refused for its number in flight does not count against the rate', (t) => {
  const quota = new Quota(new FakeClock(), { burst: 300, perSecond: 1 }, everybody);
  quota.enter('somebody else');
  for (let i = 0; i < 1_000; i++) quota.enter('a');
  for (let i = 0; i < 256; i++) quota.leave('a');
  for (let i = 0; i < 44; i++) t.equal(quota.enter('a'), undefined);
  t.match(quota.enter('a'), { code: 'too-many-requests' });
  t.end();
});

t.test('an address that is alone may ask as often as it likes, until another comes', async (t) => {
  const clock = new FakeClock();
  const quota = new Quota(clock, { burst: 2, perSecond: 1 }, everybody);
  const ask = (address: string): string => {
    const refused = quota.enter(address);
    if (!refused) quota.leave(address);
    return refused?.code ?? 'in';
  };
  t.same(
    Array.from({ length: 10 }, () => ask('a')),
    Array(10).fill('in'),
  );
  t.equal(ask('b'), 'in');
  t.equal(ask('a'), 'too-many-requests', 'and is held to its budget at once');
  t.equal(ask('b'), 'in');
  await clock.advance(10_001);
  t.same(
    Array.from({ length: 10 }, () => ask('a')),
    Array(10).fill('in'),
    'the other has gone quiet',
  );
});

t.test(
  'an address that is nobody holds no pod to its rate, and is held to its own while pods ask',
  async (t) => {
    const quota = new Quota(new FakeClock(), { burst: 2, perSecond: 1 }, (address) => address !== 'nobody');
    const ask = (address: string): string => quota.enter(address)?.code ?? 'in';
    t.same(['pod', 'nobody', 'pod', 'nobody', 'pod', 'pod'].map(ask), ['in', 'in', 'in', 'in', 'in', 'in']);
    t.same(['nobody'].map(ask), ['too-many-requests']);
  },
);
