import { once } from 'node:events';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { eventually } from '../lab/eventually.ts';
import { dial, type ok, type Setting, start } from './listening.ts';

const get = 'GET /metadata/instance HTTP/1.1\r\nHost: a\r\n\r\n';

function answering(size: number, close: boolean): typeof ok {
  return async () => ({ code: 'upstream', status: 200, headers: {}, body: 'x'.repeat(size), close });
}

/** A client that has asked, and reads nothing. */
async function asked(t: Test, setting: Setting): Promise<Socket> {
  const client = await dial(t, setting);
  client.pause();
  client.write(get);
  await eventually('it is answered', () => setting.served.length === 1);
  return client;
}

/** How the connection ends for a client that reads again. */
function endOf(client: Socket): Promise<unknown> {
  const failed = once(client, 'error').then(([error]) => (error as { readonly code: string }).code);
  const ended = once(client, 'end').then(() => 'end');
  client.resume();
  return Promise.race([failed, ended]);
}

t.test(
  'resets a client that does not read, so that nothing of its answer stays with the kernel',
  async (t) => {
    const setting = await start(t, answering(16_000_000, false));
    const client = await asked(t, setting);
    await setting.clock.advance(10_000);
    t.equal(await endOf(client), 'ECONNRESET');
  },
);

t.test('resets a client that does not read its last answer, in place of letting go of it', async (t) => {
  const setting = await start(t, answering(300_000, true));
  const client = await asked(t, setting);
  await eventually('the kernel has all of it', () => setting.clock.waiting > 0);
  await setting.clock.advance(5_000);
  t.equal(await endOf(client), 'ECONNRESET');
});
