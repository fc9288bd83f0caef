/**
 * Program: `line-client.ts IP PORT CONTROL` keeps connections to a line server and speaks on command. Commands come over the Unix
 * socket CONTROL, which no network namespace hides: `open NAME`, `say NAME LINE`, and `pipeline NAME`, which keeps eight lines
 * under way. Writes `ready`, then for each connection `NAME open`, `NAME heard WHO` and `NAME error CODE`.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const [ip = '', port = '', control = ''] = process.argv.slice(2);
const sockets = new Map<string, Socket>();
const pipelining = new Set<string>();

function open(name: string): void {
  const socket = connect({ host: ip, port: Number(port) });
  sockets.set(name, socket);
  socket.once('connect', () => console.log(`${name} open`));
  socket.once('error', (error: NodeJS.ErrnoException) => console.log(`${name} error ${error.code}`));
  createInterface({ input: socket })
    .on('line', (who) => {
      console.log(`${name} heard ${who}`);
      if (pipelining.has(name)) say(name, '/pipelined');
    })
    .on('error', () => undefined);
}

function say(name: string, line: string): void {
  const socket = sockets.get(name);
  if (socket?.writable) socket.write(`${line}\n`);
}

function pipeline(name: string): void {
  pipelining.add(name);
  for (let i = 0; i < 8; i++) say(name, '/pipelined');
}

createServer((socket) => {
  createInterface({ input: socket }).on('line', (command) => {
    const [verb, name = '', line = ''] = command.split(' ');
    if (verb === 'open') open(name);
    if (verb === 'say') say(name, line);
    if (verb === 'pipeline') pipeline(name);
  });
}).listen(control, () => console.log('ready'));
