import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** What the upstream does with the n-th request (from 0) on a connection: the bytes to send, or anything with the socket. */
export type Play = (socket: Socket, nth: number) => string | undefined;

export interface Upstream {
  readonly ip: '127.0.0.1';
  readonly port: number;
  /** Each request as it came, by connection. */
  readonly heard: readonly string[][];
  /** How many connections have ended. */
  ended(): number;
  /** Resolves when `count` connections have ended. */
  untilEnded(count: number): Promise<void>;
}

/** An upstream whose every byte the test decides, for what a well-behaved server library would not send. */
export async function startUpstream(t: Test, play: Play): Promise<Upstream> {
  const heard: string[][] = [];
  const sockets = new Set<Socket>();
  let ended = 0;
  const server = createServer((socket) => {
    const requests: string[] = [];
    heard.push(requests);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      ended += 1;
      server.emit('ended');
    });
    readRequests(socket, (text) => {
      const reply = play(socket, requests.push(text) - 1);
      if (reply !== undefined) socket.write(reply, 'latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const untilEnded = async (count: number): Promise<void> => {
    while (ended < count) await once(server, 'ended');
  };
  const { port } = server.address() as AddressInfo;
  return { ip: '127.0.0.1', port, heard, ended: () => ended, untilEnded };
}

/** Splits what arrives by its Content-Length, the only framing that the agent uses. */
function readRequests(socket: Socket, onRequest: (text: string) => void): void {
  let pending = '';
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(pending.slice(0, end))?.[1] ?? 0);
      const whole = end + 4 + length;
      if (pending.length < whole) return;
      onRequest(pending.slice(0, whole));
      pending = pending.slice(whole);
    }
  });
}

/** A JSON answer with its length, after these header lines. */
export function reply(body: string, ...lines: string[]): string {
  const head = ['HTTP/1.1 200 OK', ...lines, `Content-Length: ${body.length}`];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
