/**
 * Program: `ask.ts IP PORT COUNT PATIENCE_MS` makes COUNT connections one after the other, each with one HTTP request, and
 * writes how they ended as JSON: the body, `refused` or `silence`, each with its number.
 */
import { connect } from 'node:net';

const [ip = '', port = '', count = '1', patience = '1000'] = process.argv.slice(2);

function ask(): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: ip, port: Number(port), timeout: Number(patience) });
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

const ends: Record<string, number> = {};
for (let i = 0; i < Number(count); i++) {
  const how = await ask();
  ends[how] = (ends[how] ?? 0) + 1;
}
console.log(JSON.stringify(ends));
