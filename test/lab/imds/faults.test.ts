import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.ts';
import { imdsClient } from './client.ts';
import { type Imds, startImds } from './imds.ts';
import { asked, bodyOf, exchange, open, statusOf, tokenTarget } from './raw.ts';
import { sampleIdentity } from './token.ts';

const main = join(import.meta.dirname, 'main.ts');

async function start(test: Test): Promise<Imds> {
  const imds = await startImds();
  test.teardown(() => imds.close());
  return imds;
}

t.test('misbehaves on demand, as often as it was told', async (t) => {
  const imds = await start(t);
  imds.fault({ kind: 'status', status: 429, retryAfter: '7', count: 2, path: '/metadata/identity' });
  t.equal(statusOf(await exchange(imds, asked('/metadata/versions'))), 200, 'another path is spared');
  for (const _ of [1, 2])
    t.match(await exchange(imds, asked(tokenTarget)), /^HTTP\/1\.1 429 [\s\S]*Retry-After: 7\r\n/);
  t.equal(statusOf(await exchange(imds, asked(tokenTarget))), 200, 'spent');

  imds.fault(
    { kind: 'truncate' },
    { kind: 'garbage' },
    { kind: 'drip', everyMs: 1 },
    { kind: 'latency', afterMs: 20 },
  );
  const cut = await exchange(imds, asked(tokenTarget));
  t.ok(
    cut.length - cut.indexOf('\r\n\r\n') - 4 < Number(/Content-Length: (\d+)/.exec(cut)?.[1]),
    'half a body',
  );
  t.throws(() => bodyOf('\r\n\r\n<'));
  const garbage = await exchange(imds, asked(tokenTarget));
  t.equal(statusOf(garbage), 200);
  t.throws(() => bodyOf(garbage), 'garbage is no JSON');
  t.equal(bodyOf(await exchange(imds, asked('/nowhere'))).error, 'Not found', 'dripped whole');
  t.equal(bodyOf(await exchange(imds, asked(tokenTarget))).token_type, 'Bearer', 'late but whole');
});

t.test('resets and hangs on demand, and close ends what hangs', async (t) => {
  const imds = await start(t);
  imds.fault({ kind: 'reset' }, { kind: 'hang' });
  const socket = await open(imds);
  socket.write(asked(tokenTarget));
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNRESET');
  const stuck = await open(imds);
  stuck.on('error', () => undefined);
  stuck.write(asked(tokenTarget));
  const ended = once(stuck, 'close');
  stuck.resume();
  await eventually('the request is heard', () => imds.log().length === 2);
  await imds.close();
  await ended;
  t.match(imds.log(), [{ answered: 'reset' }, { answered: 'hang' }]);
  t.equal(imds.tokensIssued().length, 0);
});

t.test('counts how many requests it answers at once', async (t) => {
  const imds = await start(t);
  imds.fault({ kind: 'hang', count: 3 });
  const sockets = await Promise.all([1, 2, 3].map(() => open(imds)));
  for (const socket of sockets) socket.write(asked(tokenTarget));
  await eventually('three are heard', () => imds.log().length === 3);
  t.same(
    imds.log().map(({ inFlight }) => inFlight),
    [1, 2, 3],
  );
  for (const socket of sockets) socket.destroy();
  await eventually('it has let go of the three', async () => {
    await exchange(imds, asked(tokenTarget));
    return imds.log().at(-1)?.inFlight === 1;
  });
});

t.test('runs as a process, steered over its socket, and ends on SIGTERM', async (t) => {
  // Not t.testdir: the path of a unix socket may have 107 bytes.
  const dir = mkdtempSync(join(tmpdir(), 'imds-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const child = spawn(process.execPath, [main, '--listen', '127.0.0.1:0', '--dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(/^ready 127\.0\.0\.1:(\d+)\n$/.exec(line.toString())?.[1]);
  const imds = imdsClient(join(dir, 'imds.sock'));
  const demo = sampleIdentity('demo');
  await imds.configure({ systemAssigned: null });
  await imds.assign(demo);
  await imds.fault({ kind: 'status', status: 503 }, { kind: 'status', status: 500 });
  const at = { host: '127.0.0.1', port };
  t.equal(statusOf(await exchange(at, asked(tokenTarget))), 503);
  await imds.clearFaults();
  t.equal(bodyOf(await exchange(at, asked(tokenTarget))).client_id, demo.clientId);
  t.match(await imds.log(), {
    requests: [{ answered: 503 }, { answered: 200 }],
    issued: [{ clientId: demo.clientId }],
  });
  await imds.unassign(demo.clientId);
  await imds.clear();
  t.equal(statusOf(await exchange(at, asked(tokenTarget))), 400);
  t.equal((await imds.log()).requests.length, 1);
  child.kill('SIGTERM');
  t.same(await exited, [0, null]);
});
