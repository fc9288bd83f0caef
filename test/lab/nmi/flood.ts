import { connect } from 'node:net';

/**
 * Run in a pod: floods the metadata address for some seconds over many connections, each asking anew as soon as it is
 * answered and opened anew as soon as it ends, and tells in one line of JSON what came of it.
 */
const [host = '', path = '', connections = '0', seconds = '0'] = process.argv.slice(2);
const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nMetadata: true\r\n\r\n`;
const statuses: Record<string, number> = {};
const failures: Record<string, number> = {};
let over = false;

function count(in_: Record<string, number>, what: string): void {
  in_[what] = (in_[what] ?? 0) + 1;
}

function flood(): void {
  const socket = connect(80, host, () => socket.write(request));
  socket.on('data', (chunk) => {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1];
    if (status === undefined) return;
    count(statuses, status);
    if (!over) socket.write(request);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => count(failures, error.code ?? error.message));
  socket.on('close', () => {
    if (!over) setTimeout(flood, 20);
  });
  setTimeout(() => socket.destroy(), Number(seconds) * 1000).unref();
}

for (let i = 0; i < Number(connections); i++) flood();
setTimeout(() => {
  over = true;
  process.stdout.write(`${JSON.stringify({ statuses, failures })}\n`, () => process.exit());
}, Number(seconds) * 1000);
