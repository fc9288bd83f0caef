/**
 * Program: `ask-all.ts PATIENCE_MS` reads lines of targets (`IP:PORT IP:PORT …`) and connects to those of a line at once, with
 * one HTTP request each. For each line it writes how they ended as a JSON array: the body, `refused` or `silence`.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const patience = Number(process.argv[2]);

function ask(target: string): Promise<string> {
  const [host = '', port = ''] = target.split(':');
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host, port: Number(port), timeout: patience });
    const end = (how: string): void => {
      socket.destroy();
      resolve(how);
    };
    socket.once('timeout', () => end('silence'));
    socket.once('error', () => end('refused'));
    socket.once('end', () => end(answer.split('\r\n\r\n')[1] ?? ''));
    socket.on('data', (data) => {
      answer += data;
    });
    socket.write('GET / HTTP/1.1\r\nHost: metadata\r\n\r\n');
  });
}

for await (const targets of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await Promise.all(targets.split(' ').map(ask))));
}
