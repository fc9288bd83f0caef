/**
 * Run in a pod or on the node: asks from each address until it is answered 200 and prints when that was, in ms since the epoch,
 * in the order of the addresses.
 *
 *   node test/bench/throughput/first-program.ts ORDER     a FirstOrder as JSON
 */
import { connect, type Socket } from 'node:net';
import type { FirstOrder } from './first.ts';

const order = JSON.parse(process.argv[2] ?? '') as FirstOrder;
const { host, port, path, addresses, everyMs } = order;
const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\n\r\n`;

/** Tries are made on top of each other: one that the kernel drops is sent again a second later, which is no measure. */
function firstFrom(localAddress: string | undefined): Promise<number> {
  return new Promise((resolve) => {
    const tries = new Set<Socket>();
    const attempt = (): void => {
      const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
      tries.add(socket);
      socket.on('connect', () => socket.write(request));
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1', 9, 12) === '200') end(performance.timeOrigin + performance.now());
        else socket.destroy();
      });
      socket.on('error', () => undefined); // nobody listens yet
      socket.on('close', () => tries.delete(socket));
    };
    const again = everyMs === undefined ? undefined : setInterval(attempt, everyMs);
    const end = (at: number): void => {
      clearInterval(again);
      for (const socket of tries) socket.destroy();
      resolve(at);
    };
    attempt();
  });
}

const sources = addresses.length > 0 ? addresses : [undefined];
process.stdout.write(JSON.stringify(await Promise.all(sources.map(firstFrom))));
