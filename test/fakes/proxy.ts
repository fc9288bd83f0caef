import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Test } from 'tap';

/** An HTTP proxy on the loopback, for CONNECT alone. */
export interface FakeProxy {
  readonly url: string;
  /** What it was asked to connect to, `HOST:PORT`, in turn. */
  readonly connected: readonly string[];
}

/** Leads `HOST:PORT` to the loopback's port that `ports` says, and refuses what is not there; ends with the test. */
export async function startProxy(test: Test, ports: Readonly<Record<string, number>>): Promise<FakeProxy> {
  const connected: string[] = [];
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer((_, response) => void response.writeHead(405).end());
  server.on('connect', ({ url = '' }, socket: Socket) => {
    connected.push(url);
    const port = ports[url];
    sockets.add(socket);
    if (port === undefined) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const through = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    sockets.add(through);
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  test.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connected };
}
