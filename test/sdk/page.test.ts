import t from 'tap';
import { cases } from './cases.ts';
import { differences, type Page, type PageRow, parse, render } from './page.ts';

const versions = new Map([
  ['curl, without api-version', '7.88.1'],
  ['Go adal, given no id', '14.2.0+git1-1'],
]);
const rows: readonly PageRow[] = cases.flatMap(({ key }) =>
  [...versions.keys()].map((client) => ({
    ...{ case: key, client, result: 'token, asked again', answers: [429, 200], seconds: 1.2 },
  })),
);
const page: Page = { versions, rows };

t.test('what is written can be read again', async (t) => {
  t.same(parse(render(page)), page);
});

t.test('a client that was never answered has a row too', async (t) => {
  const silent: Page = { versions, rows: rows.map((row) => ({ ...row, result: 'FAILED', answers: [] })) };
  t.same(parse(render(silent)), silent);
});

t.test('another result, another number of requests or a new row is told; seconds are not', async (t) => {
  const [first, ...others] = rows as [PageRow, ...PageRow[]];
  const changed = (change: Partial<PageRow>): string[] =>
    differences(page, [{ ...first, ...change }, ...others]);
  t.same(changed({ seconds: 99 }), []);
  t.match(changed({ result: 'refused' }), [
    /refused \(429 200\); the page has token, asked again \(429 200\)/,
  ]);
  t.match(changed({ answers: [429, 429, 200] }), [/\(429 429 200\)/]);
  t.match(changed({ client: 'Java' }), [/Java: .*; the page has nothing/]);
  t.same(differences(page, [first]), [], 'clients that are not installed are not missed');
});
