import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { type ListenerOptions, MetadataListener, type Served } from '../../lib/metadata/server.ts';
import type { Handler } from '../../lib/metadata/stages.ts';
import { FakeClock } from '../fakes/clock.ts';

export interface Setting {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly clock: FakeClock;
  readonly served: Served[];
  readonly listener: MetadataListener;
}

export const ok: Handler = async () => ({ code: 'upstream', status: 200, headers: {}, body: '{}' });

export async function start(
  t: Test,
  handler: Handler = ok,
  options: Partial<ListenerOptions> = {},
): Promise<Setting> {
  const clock = new FakeClock();
  const served: Served[] = [];
  const onServed = (one: Served): void => void served.push(one);
  const listener = new MetadataListener(handler, { clock, onServed, ...options });
  const port = await listener.listen('127.0.0.1', 0);
  t.teardown(async () => {
    const closed = listener.close(0);
    await clock.advance(0);
    await closed;
  });
  return { host: '127.0.0.1', port, clock, served, listener };
}

/** Opens a connection, from another loopback address to be another pod. */
export async function dial(t: Test, { port, host }: Setting, localAddress?: string): Promise<Socket> {
  const socket = connect({ port, host, ...(localAddress && { localAddress }) });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
