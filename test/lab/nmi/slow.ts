import { connect } from 'node:net';

/**
 * Run in a pod: speaks to the metadata address as no SDK does, a hundred connections of each kind, until all are over, and
 * prints for each kind how many answers of each status came:
 *
 *   node test/lab/nmi/slow.ts HOST
 */
const [host = ''] = process.argv.slice(2);
const post =
  'POST /metadata/scheduledevents HTTP/1.1\r\nHost: x\r\nMetadata: true\r\nContent-Length: 1000\r\n\r\n';
const get = 'GET /metadata/nothing HTTP/1.1\r\nHost: x\r\nMetadata: true\r\n\r\n';
/** What is sent at once, and whether a byte follows every second. */
const kinds = {
  'slow head': ['GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', true],
  'slow body': [post, true],
  'huge head': [`GET / HTTP/1.1\r\nX-Huge: ${'x'.repeat(1_000_000)}\r\n\r\n`, false],
  pipelined: [get.repeat(20), false],
} as const;
/** Longer than the agent's patience with any of them. */
const patienceMs = 20_000;

function speak([bytes, slowly]: readonly [string, boolean]): Promise<string[]> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(80, host, () => socket.write(bytes));
    const drip = slowly ? setInterval(() => socket.write('x'), 1_000) : undefined;
    socket.setTimeout(slowly ? patienceMs : 2_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined); // a reset ends it too
    socket.on('close', () => {
      clearInterval(drip);
      resolve([...received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status = '']) => status));
    });
  });
}

const outcome = await Promise.all(
  Object.entries(kinds).map(async ([kind, speech]) => {
    const statuses = (await Promise.all(Array.from({ length: 100 }, () => speak(speech)))).flat();
    const tally = Object.entries(Object.groupBy(statuses, String));
    return [kind, Object.fromEntries(tally.map(([status, all = []]) => [status, all.length]))];
  }),
);
process.stdout.write(JSON.stringify(Object.fromEntries(outcome)));
