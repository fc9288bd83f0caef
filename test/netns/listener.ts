/**
 * Program: `listener.ts NAME IP PORT` answers every HTTP request with NAME, and writes `ready` and then `hit PEER` for each
 * connection.
 */
import { createServer } from 'node:net';

const [name = '', ip = '', port = ''] = process.argv.slice(2);

createServer((socket) => {
  console.log(`hit ${socket.remoteAddress}`);
  socket.on('error', () => undefined);
  socket.once('data', () =>
    socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${name.length}\r\n\r\n${name}`),
  );
}).listen(Number(port), ip, () => console.log('ready'));
