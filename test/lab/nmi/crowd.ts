/**
 * Asks for a token many times, each on a connection of its own, and prints how often each status came, 0 for no answer:
 *
 *   node test/lab/nmi/crowd.ts URL COUNT [AT_ONCE]     all at once unless said; {} in the URL is the number of the request
 */
import { get } from 'node:http';

const [url = '', count = '0', atOnce = count] = process.argv.slice(2);

function ask(number: number): Promise<number> {
  return new Promise((resolve) => {
    const options = { agent: false, headers: { metadata: 'true' } } as const;
    const sent = get(url.replace('{}', String(number)), options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
  });
}

const statuses: number[] = [];
let left = Number(count);
async function askOn(): Promise<void> {
  while (left > 0) statuses.push(await ask(left--));
}

await Promise.all(Array.from({ length: Number(atOnce) }, askOn));
const tally = Object.groupBy(statuses, String);
const counts = Object.entries(tally).map(([status, all = []]) => [status, all.length]);
process.stdout.write(JSON.stringify(Object.fromEntries(counts)));
