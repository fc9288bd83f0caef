import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';

/**
 * Has the server end a connection in place of letting go of it. One that is closed while its peer does not read stays with the
 * kernel, counted by nobody, 4 MB each and for as long as the peer likes (measured): who has not closed after `ms` is reset.
 */
export function orphanNone(server: Server, clock: Clock, ms: number): void {
  server.on('connection', (socket) => {
    socket.destroySoon = () => {
      if (!socket.writableEnded) socket.end();
      const late = clock.after(ms, () => cut(socket));
      socket.once('close', () => late.cancel());
    };
  });
  server.on('timeout', (socket: Socket) => socket.destroySoon());
}

/**
 * Ends a connection at once, and leaves nothing of it to the kernel. While its last word is on the way, Node can only let go of
 * it: libuv refuses a reset then, and the socket would never be closed (measured, Node 24.21).
 */
export function cut(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
