import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { unavailable } from '../lab/namespaces.ts';
import { cases } from './cases.ts';
import type { Client } from './client.ts';
import { debianClients } from './debian-clients.ts';
import { ownClients } from './own-clients.ts';
import { differences, parse, render, tables } from './page.ts';
import type { Row } from './row.ts';
import { runAll } from './run.ts';

/** Real clients in pods. `scripts/test --full` brings those of Debian too, and has the page written where it is out of date. */
const isFull = process.env.POD_IDENTITY_FULL === '1';
const skip = unavailable() ?? false;
const file = join(import.meta.dirname, '../../docs/sdk-conformance.md');
const own = await ownClients();
const debian = await debianClients();
let clients: readonly Client[] = own;
let rows: readonly Row[] = [];

// az takes minutes where the machine has other work.
t.setTimeout(900_000);

t.before(async () => {
  if (skip) return;
  for (const { version, clients: make } of debian)
    if (version !== undefined) clients = [...clients, ...(await make(version, t))];
  rows = await runAll(t, clients);
  if (isFull) tell();
});

/** The page is left alone where only its seconds are others. */
function tell(): void {
  const versions = new Map(clients.map(({ name, version }) => [name, version]));
  const page = { versions, rows };
  process.stderr.write(`${tables(page)}\n`);
  const old = parse(written());
  const now = render({ versions, rows: old.rows });
  if (now === written() && differences(old, rows).length === 0) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, render(page));
  process.stderr.write('docs/sdk-conformance.md was out of date and has been written: see what changed\n');
}

function written(): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

for (const { key, promised, promise } of cases) {
  t.test(promised, { skip }, async (t) => {
    for (const client of clients) {
      const row = rows.find((row) => row.case === key && row.client === client.name);
      t.equal(row?.result, promise(client), `${client.name}: ${row?.answers.join(' ')} ${row?.said}`);
    }
  });
}

t.test('docs/sdk-conformance.md tells what is so; scripts/test --full writes it', async (t) => {
  const page = parse(written());
  t.same(differences(page, rows), []);
  t.equal(written(), render(page), 'its words are those of test/sdk/page.ts');
  for (const { name, version } of own.filter(({ name }) => /^@azure/.test(name)))
    t.equal(page.versions.get(name), version, name);
});

for (const { name, packages, version } of debian) {
  const how = `needs the packages ${packages.join(' and ')}; scripts/test --full installs them`;
  const isLeftOut = version === undefined && !isFull;
  t.test(`${name} is among the clients`, { skip: isLeftOut ? how : skip }, async (t) => {
    t.ok(version, how);
  });
}
