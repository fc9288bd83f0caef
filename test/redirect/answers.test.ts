import { createServer } from 'node:net';
import t from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import { systemExec } from '../../lib/platform/exec.ts';
import { answersBy } from '../../lib/redirect/answers.ts';

const answers = answersBy(systemExec);

t.test('tells a port that accepts from one that refuses', async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  t.equal(await answers({ ip: '127.0.0.1', port }), 'yes');
  await new Promise((resolve) => server.close(resolve));
  t.equal(await answers({ ip: '127.0.0.1', port }), 'no');
});

t.test('what connects is no agent when nobody on the node listens there', async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const listed =
    (...locals: readonly string[]) =>
    async () => ({
      code: 0,
      stderr: '',
      stdout: locals.map((at) => `LISTEN 0 511 ${at} 0.0.0.0:*\n`).join(''),
    });
  const asked = (exec: Parameters<typeof answersBy>[0]) => answersBy(exec)({ ip: '127.0.0.1', port });
  // As a pod's hostPort is connected to: the kernel leads it elsewhere.
  t.equal(await asked(listed()), 'no');
  t.equal(await asked(listed(`10.0.0.4:${port}`, `[::1]:${port}`)), 'no', 'another address');
  for (const host of ['127.0.0.1', '0.0.0.0', '*', '[::]', '[::ffff:127.0.0.1]', '127.0.0.1%lo'])
    t.equal(await asked(listed(`${host}:${port}`)), 'yes', host);
  t.equal(await asked(async () => ({ code: 1, stdout: '', stderr: 'no' })), 'yes', 'could not tell');
  const missing = () => Promise.reject(new AppError('exec-missing', 'ss is not installed'));
  t.equal(await asked(missing), 'yes', 'could not tell');
});

t.test('asks nobody at an address that is none of its own', async (t) => {
  t.equal(await answers({ ip: '192.0.2.1', port: 80 }), 'no');
});

t.test('does not take an address that cannot be reached for one that refuses', async (t) => {
  // Nothing can be connected to on this one: the kernel says EACCES or ENETUNREACH without sending a packet.
  t.equal(await answers({ ip: '127.255.255.255', port: 9 }), 'unknown');
});
