import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually } from '../lab/eventually.ts';
import { selfSigned } from '../lab/kube/tls.ts';
import { type FakeAzure, startFakeAzure } from './fake-azure.ts';
import { holdsNoToken, identity, rig } from './rig.ts';

type Env = Readonly<Record<string, string>>;

interface Program {
  readonly child: ChildProcess;
  /** Everything that it has written. */
  output(): string;
  /** Its exit status, or the signal that ended it. */
  ended(): Promise<unknown>;
}

/** How long a program may take on a loaded machine, ms. */
const withinMs = 60_000;

function run(t: Test, name: string, args: readonly string[], env: Env = {}): Program {
  const program = join(import.meta.dirname, '../../bin', name);
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
  const closed = once(child, 'close').then(([code, signal]) => code ?? signal);
  return { child, output: () => Buffer.concat(chunks).toString(), ended: () => closed };
}

/** A cloud of its own over TLS, and the environment that leads there. */
async function cloud(t: Test): Promise<{ arm: FakeAzure; env: Env; untrusting: Env }> {
  const tls = selfSigned('127.0.0.1');
  const arm = await startFakeAzure(t, { tls, machines: 3 });
  const { imds } = await rig(t);
  const described = {
    resourceManagerEndpoint: arm.origin,
    activeDirectoryEndpoint: 'https://127.0.0.1',
    tokenAudience: 'https://management.azure.com',
  };
  const folder = t.testdir({ 'ca.crt': tls.cert, 'cloud.json': JSON.stringify(described) });
  const untrusting = {
    AZURE_ENVIRONMENT: 'AzureStackCloud',
    AZURE_ENVIRONMENT_FILEPATH: join(folder, 'cloud.json'),
    AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
  };
  return { arm, untrusting, env: { ...untrusting, NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') } };
}

const flags = ['--subscriptionid=s', '--resourcegroup=g', `--clientid=${identity.clientId}`];

t.test('demo counts over TLS, prints no token, and ends with 0 at SIGTERM', async (t) => {
  const { env } = await cloud(t);
  const demo = run(t, 'demo', flags, { ...env, MY_POD_NAME: 'demo-0' });
  const isThrough = (): boolean => demo.output().includes('successfully made GET on instance metadata');
  await eventually('a round is through', isThrough, { withinMs });
  demo.child.kill('SIGTERM');
  t.equal(await demo.ended(), 0);
  t.match(demo.output(), 'starting the demo name=demo-0 version=');
  t.match(demo.output(), 'successfully doARMOperations vm count 3');
  t.match(demo.output(), 'told to end signal=SIGTERM');
  t.notMatch(demo.output(), 'failed');
  holdsNoToken(t, demo.output());
});

t.test('demo sends its token to no ARM that it cannot trust', async (t) => {
  const { arm, untrusting } = await cloud(t);
  const demo = run(t, 'demo', flags, { ...untrusting, NODE_TLS_REJECT_UNAUTHORIZED: '0' });
  const why = 'failed to doARMOperations in g: Azure Resource Manager cannot be reached (';
  await eventually('it has tried', () => demo.output().includes(why), { withinMs });
  t.same(arm.log, []);
});

t.test('a proxy stands before ARM, and never before the metadata service', async (t) => {
  const { arm, env } = await cloud(t);
  const proxy = 'http://127.0.0.1:1';
  const demo = run(t, 'demo', flags, { ...env, HTTPS_PROXY: proxy, HTTP_PROXY: proxy });
  await eventually('a round is through', () => demo.output().includes('instance metadata'), { withinMs });
  t.match(demo.output(), 'Azure Resource Manager cannot be reached (');
  t.equal(demo.output().match(/successfully/g)?.length, 3);
  t.same(arm.log, []);
});

t.test('identityvalidator ends with 0 where all is so, with 1 and a sentence where not', async (t) => {
  const { imds } = await rig(t);
  const env = { AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url };
  const ids = [`--identity-client-id=${identity.clientId}`, `--identity-resource-id=${identity.resourceId}`];
  const good = run(t, 'identityvalidator', ids, env);
  t.equal(await good.ended(), 0, good.output());
  t.equal(good.output().match(/successfully/g)?.length, 3);
  holdsNoToken(t, good.output());

  imds.fault({ kind: 'status', status: 400, body: '{"error":"invalid_request"}' });
  const bad = run(t, 'identityvalidator', [], env);
  t.equal(await bad.ended(), 1);
  t.match(bad.output(), /ERROR failed to acquire a token using the MSI, .* answered 400 invalid_request\n/);
});

t.test('identityvalidator --sleep stays until SIGTERM', async (t) => {
  const sleeper = run(t, 'identityvalidator', ['--sleep'], { E2E_TEST_POD_NAME: 'tester' });
  await eventually('it has started', () => sleeper.output().includes('name=tester'), { withinMs });
  t.equal(sleeper.child.exitCode, null);
  sleeper.child.kill('SIGTERM');
  t.equal(await sleeper.ended(), 0);
});

t.test('both refuse a flag or an environment that cannot work with status 2 and one sentence', async (t) => {
  for (const name of ['demo', 'identityvalidator']) {
    const bad = run(t, name, [], { AZURE_ENVIRONMENT: 'Moon' });
    t.equal(await bad.ended(), 2);
    t.match(bad.output(), new RegExp(`^${name}: the environment variable AZURE_ENVIRONMENT: Moon .*\\n$`));
  }
});
