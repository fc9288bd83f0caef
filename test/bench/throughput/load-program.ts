/**
 * Run in a pod: asks the metadata address over some connections, on each anew as soon as it is answered, and prints a LoadResult.
 *
 *   node test/bench/throughput/load-program.ts ORDER     a LoadOrder as JSON
 *
 * It shares the machine with what it measures, so it is lean: no HTTP library, one buffer for all that is read.
 */
import { connect, type Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import type { LoadOrder, LoadResult } from './load.ts';

const order = JSON.parse(process.argv[2] ?? '') as LoadOrder;
const { host, path, connections, addresses, perConnection } = order;
/** How long after the end an answer may still come. */
const unansweredMs = 15_000;
const latencies = createHistogram();
const statuses: Record<string, number> = {};
const failures: Record<string, number> = {};
const buffer = Buffer.alloc(64 * 1024);
const requests = (addresses.length ? addresses : ['']).map((_, n) =>
  Buffer.from(`GET ${path.replace('{n}', `${n}`)} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\n\r\n`),
);
const cpuBefore = process.cpuUsage();
const began = performance.now();
const deadline = began + order.seconds * 1000;
let [left, open, nextAddress] = [order.requests ?? Number.POSITIVE_INFINITY, connections, 0];

function count(where: Record<string, number>, what: string | number): void {
  where[what] = (where[what] ?? 0) + 1;
}

/** How many bytes the answer at the start of the buffer has; NaN when its head is not whole. */
function sizeOf(bytes: number): number {
  const headEnd = buffer.indexOf('\r\n\r\n', 0, 'latin1');
  const name = buffer.indexOf('ength: ', 0, 'latin1');
  if (headEnd < 0 || headEnd + 4 > bytes || name < 0 || name > headEnd) return Number.NaN;
  return headEnd + 4 + Number.parseInt(buffer.toString('latin1', name + 7, name + 15), 10);
}

/** One place that asks; its connection is opened anew from the next address after `perConnection` requests. */
function start(): void {
  const at = nextAddress++ % requests.length;
  let [asked, sentAt, missing, over, last] = [0, 0, 0, false, false];
  const isOver = (): boolean => left <= 0 || performance.now() >= deadline;
  const ask = (): void => {
    left -= 1;
    asked += 1;
    sentAt = performance.now();
    socket.write(requests[at] as Buffer);
  };
  const heard = (bytes: number): boolean => {
    missing = missing > 0 ? missing - bytes : first(bytes);
    if (missing > 0 || over) return true;
    latencies.record(Math.max(1, Math.round((performance.now() - sentAt) * 1000)));
    over = isOver() || last || asked >= perConnection;
    if (over) socket.destroy();
    else ask();
    return true;
  };
  const first = (bytes: number): number => {
    count(statuses, buffer.toString('latin1', 9, 12));
    const size = sizeOf(bytes);
    // The agent ends a connection after some hundred kB of answers.
    last = buffer.subarray(0, Math.min(bytes, size)).includes('onnection: close', 0, 'latin1');
    if (Number.isNaN(size)) socket.destroy(new Error('half a head'));
    return size - bytes;
  };
  const socket: Socket = connect({
    ...{ host, port: 80, noDelay: true, onread: { buffer, callback: heard } },
    ...(addresses[at] !== undefined && { localAddress: addresses[at] }),
  });
  socket.on('connect', ask);
  socket.on('error', (error: NodeJS.ErrnoException) => count(failures, error.code ?? error.message));
  socket.on('close', () => {
    if (!over) count(failures, 'closed');
    if (!isOver()) start();
    else if (--open === 0) finish();
  });
}

function finish(): void {
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const ms = (percentile: number): number => latencies.percentile(percentile) / 1000;
  const result: LoadResult = {
    ...{ requests: latencies.count, seconds, statuses, failures },
    ...{ p50Ms: ms(50), p99Ms: ms(99), maxMs: latencies.max / 1000 },
    busy: (user + system) / 1e6 / seconds,
  };
  process.stdout.write(JSON.stringify(result));
}

for (let i = 0; i < connections; i++) start();
// What is never answered must not be waited for.
setTimeout(
  () => {
    failures['not answered'] = open;
    finish();
    process.exit();
  },
  order.seconds * 1000 + unansweredMs,
).unref();
