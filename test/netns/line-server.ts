/**
 * Program: `line-server.ts NAME IP PORT` answers each line with NAME, a little later, and `/stream` with NAME again and again,
 * without end. Connections are kept. Writes `ready` and then `asked PEER LINE` for each line.
 */
import { createServer, type Socket } from 'node:net';

const [name = '', ip = '', port = ''] = process.argv.slice(2);

function answer(socket: Socket, line: string): void {
  const say = (): void => void (socket.writable && socket.write(`${name}\n`));
  if (line !== '/stream') return void setTimeout(say, 5);
  const stream = setInterval(say, 5);
  socket.once('close', () => clearInterval(stream));
}

createServer((socket) => {
  let rest = '';
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    const lines = `${rest}${data}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      console.log(`asked ${socket.remoteAddress} ${line}`);
      answer(socket, line);
    }
  });
}).listen(Number(port), ip, () => console.log('ready'));
