import { createServer } from 'node:net';
import t from 'tap';
import { answers } from '../../lib/redirect/answers.ts';

t.test('tells a port that accepts from one that refuses', async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  t.equal(await answers({ ip: '127.0.0.1', port }), 'yes');
  await new Promise((resolve) => server.close(resolve));
  t.equal(await answers({ ip: '127.0.0.1', port }), 'no');
});

t.test('asks nobody at an address that is none of its own', async (t) => {
  t.equal(await answers({ ip: '192.0.2.1', port: 80 }), 'no');
});

t.test('does not take an address that cannot be reached for one that refuses', async (t) => {
  // Nothing can be connected to on this one: the kernel says EACCES or ENETUNREACH without sending a packet.
  t.equal(await answers({ ip: '127.255.255.255', port: 9 }), 'unknown');
});
