import { join } from 'node:path';
import t from 'tap';
import { mostInASecond } from '../../tokens/throttled-imds.ts';
import { addresses } from '../addresses.ts';
import type { Agent } from '../agent.ts';
import { eventually } from '../eventually.ts';
import { sampleIdentity } from '../imds/token.ts';
import type { RequestRecord } from '../imds/types.ts';
import type { Lab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { type ColdScene, coldScene, pods } from './cold-scene.ts';
import { ask, tokenUrl } from './scene.ts';

/** What IMDS must never see when 200 pods start at once is judged by its simulator's log. */
const skip = unavailable() ?? false;
let lab: Lab;
let agent: Agent;
let startAll: ColdScene['start'];

t.before(async () => {
  if (skip) return;
  ({ lab, agent, start: startAll } = await coldScene());
  t.teardown(() => lab.down());
});

async function requests(): Promise<readonly RequestRecord[]> {
  return (await lab.imds.log()).requests;
}

t.test(
  '200 pods that start cold are all served within their SDKs own tries, and IMDS never sees more than 5 at once or 20 a second',
  { skip },
  async (t) => {
    const started = await startAll(tokenUrl);
    t.same(
      started.map(({ appid }) => appid),
      pods.map(({ name }) => sampleIdentity(name).clientId),
    );
    const seen = await requests();
    t.equal(seen.length, 200, 'one call for each');
    t.equal(Math.max(...seen.map(({ inFlight }) => inFlight)), 5);
    t.ok(mostInASecond(seen.map(({ at }) => at)) <= 20, 'in any second');
    t.same([...new Set(seen.map(({ remoteAddress }) => remoteAddress))], [addresses.node]);

    const { stdout: metrics } = await lab.onNode(['curl', '-s', agent.metrics]);
    t.match(metrics, '\npodidentity_imds_calls_total{kind="token",status="200"} 200\n');
    t.match(metrics, '\npodidentity_imds_calls_in_flight{kind="token"} 0\n');
    t.match(metrics, '\npodidentity_imds_calls_queued{kind="token"} 0\n');
  },
);

t.test('and asks IMDS for nothing when they start again', { skip }, async (t) => {
  await lab.imds.clear();
  const started = await startAll(tokenUrl);
  t.equal(started.filter(({ tries }) => tries === 1).length, 200);
  t.same(await requests(), []);
});

t.test('leaves IMDS alone for as long as it says', { skip }, async (t) => {
  await lab.imds.clear();
  await lab.imds.fault({ kind: 'status', status: 429, retryAfter: '2', path: '/metadata/identity' });
  const url = tokenUrl.replace('vault.azure.net', 'storage.azure.com');
  const refused = ask(lab, 'crowd', url, '--interface', pods[0]?.ip ?? '');
  await eventually('IMDS has been asked', async () => (await requests()).length === 1);
  t.equal((await refused).status, 429);
  const next = await ask(lab, 'crowd', url, '--interface', pods[1]?.ip ?? '');
  t.equal(next.status, 200);
  const [first, second] = await requests();
  t.ok((second?.at ?? 0) - (first?.at ?? 0) >= 2_000);
});

t.test(
  'holds excepted pods and documents to the same limits, documents to 5 a second',
  { skip },
  async (t) => {
    await lab.imds.clear();
    const crowd = (url: string, count: number): ReturnType<Lab['exec']> =>
      lab.exec('crowd', [process.execPath, join(import.meta.dirname, 'crowd.ts'), url, String(count)]);
    // Each another document: those for one are one call.
    const instance = `http://${addresses.imds}/metadata/instance?api-version=2021-02-01&n={}`;
    const [tokens, documents] = await Promise.all([crowd(tokenUrl, 18), crowd(instance, 14)]);
    t.same(JSON.parse(tokens.stdout), { 200: 18 });
    t.same(JSON.parse(documents.stdout), { 200: 14 });
    const seen = await requests();
    const at = (path: string): number[] => seen.filter((one) => one.path === path).map((one) => one.at);
    t.equal(at('/metadata/identity/oauth2/token').length, 18);
    t.equal(at('/metadata/instance').length, 14);
    t.ok(mostInASecond(at('/metadata/instance')) <= 5);
    t.ok(mostInASecond(seen.map((one) => one.at)) <= 20);
    t.ok(Math.max(...seen.map(({ inFlight }) => inFlight)) <= 5);
  },
);
