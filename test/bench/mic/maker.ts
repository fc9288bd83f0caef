/**
 * `maker.ts KUBECONFIG PODS IDENTITIES`: as much of an API server as a MIC asks, that makes up a large cluster page by page. The
 * first watch of the pods ends in a 410, so that they are listed once more; the others say nothing. Writes the kubeconfig
 * when it listens, and prints `ready`.
 */
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { writeKubeconfig } from '../../lab/kube/kubeconfig.ts';
import { selfSigned } from '../../lab/kube/tls.ts';
import { type CrowdKind, countsOf, crowd } from './crowd.ts';

const [kubeconfig = '', pods, identities] = process.argv.slice(2);
const counts = countsOf({ pods: Number(pods), identities: Number(identities) });
const tls = selfSigned('127.0.0.1');
let hasExpired = false;

const server = createServer(tls, (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://maker');
  const kind = pathname.slice(pathname.lastIndexOf('/') + 1);
  response.setHeader('content-type', 'application/json');
  if (request.method !== 'GET') echo(request, response);
  else if (!(kind in crowd)) response.writeHead(404).end('{"kind":"Status","code":404}');
  else if (searchParams.has('watch')) watch(kind, response);
  else response.end(pageOf(kind as CrowdKind, searchParams));
});

function pageOf(kind: CrowdKind, query: URLSearchParams): string {
  const from = Number(query.get('continue') ?? 0);
  const to = Math.min(counts[kind], from + Number(query.get('limit')));
  const items = Array.from({ length: to - from }, (_, i) => crowd[kind](from + i));
  const metadata = { resourceVersion: '1', ...(to < counts[kind] && { continue: String(to) }) };
  return JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items });
}

function watch(kind: string, response: ServerResponse): void {
  const expires = kind === 'pods' && !hasExpired;
  hasExpired ||= expires;
  if (expires) response.end('{"type":"ERROR","object":{"kind":"Status","code":410}}\n');
  else response.flushHeaders();
}

/** What is written stands. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => void chunks.push(chunk));
  request.on('end', () => void response.end(Buffer.concat(chunks)));
}

server.listen(0, '127.0.0.1', () => {
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, writeKubeconfig(origin, tls.cert, 'token'));
  process.stdout.write('ready\n');
});
