import type { Test } from 'tap';
import { type Case, stages } from './cases.ts';
import type { Client } from './client.ts';
import type { Row } from './row.ts';
import { openStage, type Seat } from './stage.ts';

/** Every client through every case. */
export async function runAll(t: Test, clients: readonly Client[]): Promise<Row[]> {
  const rows = await Promise.all(stages.map((cases) => runStage(t, clients, cases)));
  return rows.flat();
}

async function runStage(t: Test, clients: readonly Client[], cases: readonly Case[]): Promise<Row[]> {
  const seated = cases.map((one) => ({ one, seats: clients.map((client) => seatOf(one, client)) }));
  const stage = await openStage(
    t,
    seated.flatMap(({ seats }) => seats),
  );
  const rows: Row[] = [];
  for (const { one, seats } of seated) rows.push(...(await one.run(stage, seats)));
  stage.lab.down();
  return rows;
}

function seatOf({ key, bound }: Case, client: Client): Seat {
  return { case: key, client, pod: `${key}-${client.key}`, bound };
}
