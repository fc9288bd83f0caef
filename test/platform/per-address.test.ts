import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { servePages } from '../../lib/platform/pages.ts';
import { eventually } from '../lab/eventually.ts';

function open(port: number, localAddress: string): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  return socket;
}

t.test('a pod that holds a port open leaves the others, and the kubelet, their share', async (t) => {
  const pages = await servePages(0, { '/healthz': () => ({ status: 200, body: 'Active' }) }, systemClock);
  const held = Array.from({ length: 8 }, () => open(pages.port, '127.0.0.2'));
  t.teardown(() => {
    for (const socket of held) socket.destroy();
    pages.close();
  });
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const ninth = open(pages.port, '127.0.0.2');
  await once(ninth, 'close');
  const other = await fetch(`http://127.0.0.1:${pages.port}/healthz`, { headers: { connection: 'close' } });
  t.equal(await other.text(), 'Active');
  held[0]?.destroy();
  await eventually('a connection that ended counts no more', async () => {
    const again = open(pages.port, '127.0.0.2');
    again.end('GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    const answered = await new Promise((resolve) => {
      again.on('data', () => resolve(true));
      again.on('close', () => resolve(false));
    });
    return answered;
  });
});
