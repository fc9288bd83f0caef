import t from 'tap';
import { listAll, listOnce } from '../../lib/kube/list.ts';
import { json, listOf, refuse, stall } from './hostile-api.ts';
import { connect, thing, things } from './rig.ts';

t.test('reads page after page', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(
    listOf([thing('a', 'red')], '10', 'page-2'),
    listOf([thing('b', 'blue'), thing('odd', 7)], '10'),
  );
  const listing = await listAll(connection, things);
  t.same(listing.items, [
    { key: 'ns/a', colour: 'red' },
    { key: 'ns/b', colour: 'blue' },
  ]);
  t.equal(listing.resourceVersion, '10');
  t.same(listing.dropped, ['ns/odd']);
  t.same(
    api.calls.map((call) => call.query),
    [{ limit: '500' }, { limit: '500', continue: 'page-2' }],
  );
});

t.test('starts anew when the second page has expired, without the first page twice', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(
    listOf([thing('a', 'red')], '10', 'page-2'),
    refuse(410),
    listOf([thing('a', 'green')], '20'),
  );
  const listing = await listAll(connection, things);
  t.same(listing.items, [{ key: 'ns/a', colour: 'green' }]);
  t.equal(listing.resourceVersion, '20');
  t.equal(api.calls[2]?.query.continue, undefined);
});

t.test('gives up a list that expires again and again', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(refuse(410), refuse(410), refuse(410), listOf([]));
  await t.rejects(listAll(connection, things), { code: 'kube-refused', status: 410 });
  t.equal(api.calls.length, 3);
});

t.test('asks for smaller pages when one is larger than we are willing to hold', async (t) => {
  const { api, connection } = await connect(t);
  const large = thing('x'.repeat(16 * 1024 * 1024), 'red');
  api.lists.push(listOf([thing('a', 'red')], '10', 'page-2'), listOf([large]), listOf([thing('b', 'blue')]));
  const listing = await listAll(connection, things);
  t.equal(listing.items.length, 2);
  t.same(
    api.calls.map((call) => [call.query.limit, call.query.continue]),
    [
      ['500', undefined],
      ['500', 'page-2'],
      ['100', 'page-2'],
    ],
  );
});

t.test('takes null for a list without items', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(json(200, { metadata: { resourceVersion: '10' }, items: null }));
  t.same((await listAll(connection, things)).items, []);
});

t.test('refuses an answer that is not a list', async (t) => {
  const answers = [[], 'list', null, { items: [] }, { metadata: { resourceVersion: '1' }, items: {} }];
  for (const answer of answers) {
    const { api, connection } = await connect(t);
    api.lists.push(json(200, answer));
    await t.rejects(listAll(connection, things), { code: 'kube-garbled' }, JSON.stringify(answer));
  }
});

t.test('lets one odd object not blind us for the others', async (t) => {
  const { api, connection } = await connect(t);
  api.lists.push(listOf([thing('a', 'red'), thing('b', 'blue')]));
  const parse = (raw: unknown) => {
    const parsed = things.parse(raw);
    if (parsed?.colour === 'red') throw new Error('a fault of ours');
    return parsed;
  };
  const listing = await listAll(connection, { ...things, parse });
  t.same(listing.items, [{ key: 'ns/b', colour: 'blue' }]);
  t.same(listing.dropped, ['ns/a']);
});

t.test('ends a one-off list at its deadline', async (t) => {
  const { api, clock, connection } = await connect(t);
  api.lists.push(stall);
  const answer = t.rejects(listOnce(connection, things, { deadlineMs: 1_500 }), {
    code: 'kube-timeout',
    message: 'no list of things within 1500 ms',
  });
  await clock.advance(1_500);
  await answer;
  t.equal(clock.waiting, 0);
});

t.test('ends a one-off list with its caller', async (t) => {
  const { api, clock, connection } = await connect(t);
  api.lists.push(stall);
  const caller = new AbortController();
  const answer = t.rejects(
    listOnce(connection, things, { deadlineMs: 1_500, signal: caller.signal }),
    /gone/,
  );
  caller.abort(new Error('gone'));
  await answer;
  t.equal(clock.waiting, 0);
});
