import t, { type Test } from 'tap';
import { runDemo } from '../../lib/demo/demo.ts';
import { loadDemoConfig } from '../../lib/demo/flags.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import { holdsNoToken, identity, type Rig, rig } from './rig.ts';

const pod = { namespace: 'apps', name: 'demo-0', ip: '10.0.0.7' };
const flags = ['--subscriptionid=s', '--resourcegroup=g', `--clientid=${identity.clientId}`];

interface Running extends Rig {
  readonly clock: FakeClock;
  readonly ended: Promise<void>;
  end(): void;
}

async function start(t: Test, parts: Rig, args: readonly string[] = flags): Promise<Running> {
  const clock = new FakeClock();
  const signal = new AbortController();
  const config = loadDemoConfig(args, {});
  const ended = runDemo({ config, azure: parts.azure, pod, clock, log: parts.log }, signal.signal);
  t.teardown(() => {
    signal.abort();
    return ended;
  });
  return { ...parts, clock, ended, end: () => signal.abort() };
}

t.test('logs the lines that users are told to look for, word by word', async (t) => {
  const { lines, logged, imds } = await start(t, await rig(t, { machines: 1 }));
  await logged(5);
  const msi = `msiEndpoint(${imds.url}/metadata/identity/oauth2/token)`;
  t.same(lines.slice(1), [
    'INFO  successfully doARMOperations vm count 1',
    `INFO  successfully acquired a token using the MSI, ${msi}`,
    `INFO  successfully acquired a token, userAssignedID MSI, ${msi} clientID(${identity.clientId})`,
    'INFO  successfully made GET on instance metadata',
  ]);
  t.match(lines[0], /^INFO {2}starting the demo namespace=apps name=demo-0 ip=10\.0\.0\.7 version=/);
  holdsNoToken(t, lines.join('\n'));
});

t.test('goes on after what fails, and tells why without the token', async (t) => {
  const parts = await rig(t);
  parts.fake.fail(403, 'AuthorizationFailed', 'The client does not have authorization');
  parts.imds.fault(
    { kind: 'latency', afterMs: 0 },
    { kind: 'status', status: 404, body: '{"error":"not_found","error_description":"not there yet"}' },
    { kind: 'garbage' },
    { kind: 'status', status: 403 },
  );
  const { lines, logged } = await start(t, parts);
  await logged(5);
  t.match(lines.slice(1), [
    'ERROR failed to doARMOperations in g: Azure Resource Manager answered 403 AuthorizationFailed: The client does',
    /^ERROR failed to acquire a token using the MSI, .*: the token endpoint answered 404 not_found: not there yet$/,
    /^ERROR failed to acquire a token, userAssignedID MSI, .*: the token endpoint answered 200 with something/,
    /^ERROR failed to make GET on instance metadata: the metadata service answered 403/,
  ]);
});

t.test('the next round comes after the pause', async (t) => {
  const { clock, lines, logged } = await start(t, await rig(t), ['--retry-wait-time=7']);
  await logged(5);
  await settle();
  await clock.advance(6_999);
  t.equal(lines.length, 5, 'a start, what is left out (2), a token and a document');
  await clock.advance(1);
  await logged(7);
  t.match(lines[5], 'successfully acquired a token using the MSI');
});

t.test('ends at once in the middle of a request, and logs nothing more', async (t) => {
  const parts = await rig(t);
  parts.imds.fault({ kind: 'hang' });
  const { end, ended, lines, imds } = await start(t, parts);
  await eventually('the request is under way', () => imds.log().length > 0);
  end();
  await ended;
  await settle();
  t.equal(lines.length, 1);
});

t.test('ends at once in a pause', async (t) => {
  const { end, ended, logged } = await start(t, await rig(t));
  await logged(5);
  end();
  t.equal(await ended, undefined);
});

t.test('tells when the default token is another identity’s', async (t) => {
  const parts = await rig(t);
  parts.imds.configure({ systemAssigned: sampleIdentity('other') });
  const { lines, logged } = await start(t, parts);
  await logged(6);
  t.equal(lines[4], `ERROR the token without a client id is not clientID(${identity.clientId})'s`);
});

t.test('what a flag holds stays one line', async (t) => {
  const { lines, logged } = await start(t, await rig(t), ['--clientid=a\nERROR b']);
  await logged(4);
  t.ok(lines.every((line) => !/[\n\r]/.test(line)));
});

t.test('asks as --aad-resourcename says, and ARM with a token for ARM', async (t) => {
  const parts = await rig(t, { machines: 1 });
  const { imds, logged, lines } = await start(t, parts, [
    ...flags,
    '--aad-resourcename=https://vault.azure.net',
  ]);
  await logged(5);
  t.same(
    imds.tokensIssued().map(({ resource }) => resource),
    ['https://management.azure.com/', 'https://vault.azure.net', 'https://vault.azure.net'],
  );
  t.match(lines[1], 'vm count 1');
});
