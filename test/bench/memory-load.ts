/**
 * Run in a pod: asks the metadata address many times over some connections and prints in JSON how often each status
 * came, and each error.
 *
 *   node test/bench/memory-load.ts HOST COUNT CONNECTIONS
 *
 * Of 20 requests, 17 are for a token, one lacks the Metadata header, one asks for what is not there, and one ends its
 * connection: what a leak could hang on.
 */
import { connect } from 'node:net';

const [host = '', requests = '0', connections = '0'] = process.argv.slice(2);
const resources = ['vault.azure.net', 'storage.azure.com', 'management.azure.com', 'graph.microsoft.com'];
const outcomes: Record<string, number> = {};
let [left, open] = [Number(requests), 0];

function token(turn: number): string {
  const resource = resources[turn % resources.length];
  return `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://${resource}`;
}

function request(turn: number): string {
  const path = turn % 20 === 1 ? '/metadata/nothing' : token(turn);
  const header = turn % 20 === 2 ? '' : 'Metadata: true\r\n';
  const end = turn % 20 === 3 ? 'Connection: close\r\n' : '';
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${header}${end}\r\n`;
}

/** The status of the answer that `text` begins with, once it is there whole. */
function answerIn(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
  return end >= 0 && text.length >= end + 4 + Number(length) ? text.slice(9, 12) : undefined;
}

function count(what: string): void {
  outcomes[what] = (outcomes[what] ?? 0) + 1;
}

function start(): void {
  let text = '';
  const next = (): unknown => (left > 0 ? socket.write(request(left--)) : socket.end());
  const socket = connect(80, host, next).setEncoding('latin1');
  open += 1;
  socket.on('data', (chunk) => {
    text += chunk;
    const status = answerIn(text);
    if (status === undefined) return;
    const isLast = /\r\nconnection: close/i.test(text);
    text = '';
    count(status);
    if (isLast) socket.end();
    else next();
  });
  socket.on('error', ({ message }) => count(message));
  socket.on('close', () => {
    open -= 1;
    if (left > 0) start();
    else if (open === 0) process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  });
}

for (let i = 0; i < Number(connections); i++) start();
