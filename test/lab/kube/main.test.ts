import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { connectKube } from './client.ts';

const main = join(import.meta.dirname, 'main.ts');

t.test('serves TLS and its unix socket from when it says ready until SIGTERM', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'kube-main-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const child = start(t, '--listen', '127.0.0.1:0', '--dir', dir);
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  t.equal(line, 'ready');

  const agent = await connectKube({ kubeconfig: join(dir, 'kubeconfig') });
  const person = await connectKube({ kubeconfig: join(dir, 'admin.kubeconfig') });
  const test = await connectKube({ socket: join(dir, 'kube.sock') });
  t.teardown(() => Promise.all([agent.close(), person.close(), test.close()]));

  await test.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'apps' },
    spec: { containers: [{ name: 'c', image: 'i' }], nodeName: 'n' },
    status: { phase: 'Running', podIP: '10.1.1.1' },
  });
  t.match(await agent.list('Pod'), [
    { metadata: { name: 'a' }, status: { phase: 'Running', podIPs: [{ ip: '10.1.1.1' }] } },
  ]);
  t.match(await agent.request('DELETE', '/api/v1/namespaces/apps/pods/a'), { status: 403 });
  t.match(await person.request('GET', '/api/v1/secrets'), { status: 200 });

  await test.fault({ answer: { count: 1, status: 500 } });
  t.match(await test.request('GET', '/api/v1/pods'), { status: 200 }, 'no fault strikes the socket');
  t.match(await agent.request('GET', '/api/v1/pods'), { status: 500 });
  t.match(await test.request('POST', '/lab/faults', { body: { bogus: 1 } }), { status: 400 });
  t.match(await agent.request('GET', '/lab/requests'), { status: 404 }, 'control is not for the network');
  t.ok((await test.requests()).some((request) => request.door === 'tls' && request.status === 500));
  t.match(await test.request('GET', '/lab/counts'), { status: 200, body: { watches: 0 } });

  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [0, null]);
  t.notOk(existsSync(join(dir, 'kube.sock')), 'takes its socket along');
});

t.test('says how it is used when it is called wrongly', async (t) => {
  const child = start(t, '--listen', 'nowhere');
  const [[text], [code]] = await Promise.all([once(child.stderr!, 'data'), once(child, 'exit')]);
  t.match(String(text), /usage: main.ts --listen IP:PORT --dir DIR/);
  t.equal(code, 1);
});

function start(t: Test, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => void child.kill('SIGKILL'));
  return child;
}
