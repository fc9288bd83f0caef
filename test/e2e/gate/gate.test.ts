import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { selfSigned } from '../../lab/kube/tls.ts';
import { gateClient } from './client.ts';
import { createGate, type Gate, serveGateControl } from './gate.ts';

const tls = selfSigned('127.0.0.1');
const token = `x.${Buffer.from(JSON.stringify({ sub: 'system:serviceaccount:a:b' })).toString('base64url')}.y`;

async function apiServer(t: Test, serve: (asked: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(tls, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function gateTo(t: Test, server: string): Promise<{ readonly gate: Gate; readonly port: number }> {
  const free = createTcp().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  const gate = createGate({ host: '127.0.0.1', port, tls, server, ca: tls.cert });
  t.teardown(() => gate.shut());
  return { gate, port };
}

async function send(port: number, method: string, path: string, body = ''): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${token}` };
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false, ca: tls.cert });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

t.test('passes a request with its token and body, and writes down the right that it used', async (t) => {
  const server = await apiServer(t, (asked, response) => {
    response.writeHead(201).write(`${asked.method} ${asked.url} ${asked.headers.authorization} `);
    asked.pipe(response);
  });
  const { gate, port } = await gateTo(t, server);
  await gate.open();
  const response = await send(port, 'POST', '/api/v1/namespaces/e2e/events', 'body');
  t.equal(response.statusCode, 201);
  t.equal(await text(response), `POST /api/v1/namespaces/e2e/events Bearer ${token} body`);
  const use = { user: 'system:serviceaccount:a:b', verb: 'create', resource: 'events', status: 201 };
  t.match(gate.uses(), [use]);
  gate.clear();
  t.same(gate.uses(), []);
});

t.test('gives each event of a watch as it comes', async (t) => {
  const answers: ServerResponse[] = [];
  const server = await apiServer(t, (_, response) => {
    response.writeHead(200).flushHeaders();
    answers.push(response);
  });
  const { gate, port } = await gateTo(t, server);
  await gate.open();
  const watch = await send(port, 'GET', '/api/v1/pods?watch=true');
  for (const event of ['one', 'two']) {
    answers[0]?.write(event);
    t.equal(String((await once(watch, 'data'))[0]), event);
  }
  t.match(gate.uses(), [{ verb: 'watch' }]);
});

t.test('when shut, ends what is open and refuses what comes, until it is opened', async (t) => {
  const server = await apiServer(t, (_, response) => {
    response.writeHead(200).flushHeaders();
  });
  const { gate, port } = await gateTo(t, server);
  const refused = { code: 'ECONNREFUSED' };
  await t.rejects(send(port, 'GET', '/api/v1/pods'), refused);
  await gate.open();
  const watch = await send(port, 'GET', '/api/v1/pods?watch=true');
  const ended = once(watch.resume(), 'error');
  await gate.shut();
  t.match(await ended, [{ code: 'ECONNRESET' }]);
  await t.rejects(send(port, 'GET', '/api/v1/pods'), refused);
  await gate.open();
  t.equal((await send(port, 'GET', '/api/v1/pods')).statusCode, 200);
});

t.test('is steered from another process', async (t) => {
  const server = await apiServer(t, (_, response) => response.end('{}'));
  const { gate, port } = await gateTo(t, server);
  const folder = mkdtempSync(join(tmpdir(), 'pod-identity-gate-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'gate.sock');
  const close = await serveGateControl(gate, path);
  t.teardown(close);
  const client = gateClient(path);
  await client.open();
  await send(port, 'GET', '/api/v1/pods');
  t.match(await client.uses(), [{ verb: 'list' }]);
  await client.clear();
  t.same(await client.uses(), []);
  await client.shut();
  await t.rejects(send(port, 'GET', '/api/v1/pods'), { code: 'ECONNREFUSED' });
});
