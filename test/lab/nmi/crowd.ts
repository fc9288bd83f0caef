/**
 * Asks for a token many times at once, each on a connection of its own, and prints how often each status came:
 *
 *   node test/lab/nmi/crowd.ts URL COUNT
 */
import { get } from 'node:http';

const [url = '', count = '0'] = process.argv.slice(2);

function ask(): Promise<number> {
  return new Promise((resolve) => {
    const options = { agent: false, headers: { metadata: 'true' } } as const;
    const sent = get(url, options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
  });
}

const statuses = await Promise.all(Array.from({ length: Number(count) }, ask));
const tally = Object.groupBy(statuses, String);
const counts = Object.entries(tally).map(([status, all = []]) => [status, all.length]);
process.stdout.write(JSON.stringify(Object.fromEntries(counts)));
