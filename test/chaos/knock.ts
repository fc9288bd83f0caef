/**
 * Run in a pod, until it is killed: asks URL again and again, on new connections and on kept ones, at a bounded rate. Writes
 * `ready`, then four times a second a line of JSON with what came of it so far (a {@link Tally}).
 *
 *   node test/chaos/knock.ts URL USER_AGENT NEW_A_SECOND KEPT
 */
import { Agent, request } from 'node:http';

/** How requests ended, since the program began. */
export interface Tally {
  /** By status. */
  readonly answered: Readonly<Record<string, number>>;
  /** Of those, how many took as long as the kernel takes to send a SYN or a lost packet again. */
  readonly waited: number;
  /** By error code: ECONNREFUSED and ECONNRESET. */
  readonly failed: Readonly<Record<string, number>>;
  /** Nothing came in time. */
  readonly gaveUp: number;
  /** Every request that was begun before has ended, Unix time in ms. */
  readonly settled: number;
}

const [url = '', userAgent = '', perSecond = '0', kept = '0'] = process.argv.slice(2);
const patienceMs = 4_000;
const waitedMs = 900;
/** On each kept connection. */
const pauseMs = 200;
const mostInFlight = 100;

const tally = {
  answered: {} as Record<string, number>,
  waited: 0,
  failed: {} as Record<string, number>,
  gaveUp: 0,
};
/** When each request in flight was begun, Unix time in ms. */
const inFlight = new Map<symbol, number>();

/** Never rejects; every request ends one way, at the latest when its patience does. */
async function ask(agent: Agent | false): Promise<void> {
  const began = performance.now();
  const one = Symbol();
  inFlight.set(one, Date.now());
  try {
    const status = await statusOf(agent);
    count(tally.answered, `${status}`);
    if (performance.now() - began > waitedMs) tally.waited += 1;
  } catch (error) {
    const { name, code = 'none' } = error as NodeJS.ErrnoException;
    if (name === 'AbortError') tally.gaveUp += 1;
    else count(tally.failed, code);
  }
  inFlight.delete(one);
}

function statusOf(agent: Agent | false): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { metadata: 'true', 'user-agent': userAgent };
    const options = { agent, headers, signal: AbortSignal.timeout(patienceMs) };
    const sent = request(url, options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

async function keepAsking(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (;;) {
    await ask(agent);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

for (let i = 0; i < Number(kept); i++) void keepAsking();
if (Number(perSecond) > 0)
  setInterval(() => {
    if (inFlight.size < mostInFlight) void ask(false);
  }, 1000 / Number(perSecond));
console.log('ready');
setInterval(() => {
  const settled = Math.min(Date.now(), ...inFlight.values());
  console.log(JSON.stringify({ ...tally, settled } satisfies Tally));
}, 250);
