import t from 'tap';
import { kernelSourceTowards, planListen } from '../../lib/redirect/node-address.ts';

const questions = (localnet: string) => ({
  readFile: async (path: string) => {
    t.equal(path, '/proc/sys/net/ipv4/conf/all/route_localnet');
    return localnet;
  },
  sourceTowards: async (ip: string) => (ip === '169.254.169.254' ? '10.0.0.4' : '192.0.2.1'),
});
const plan = (asked: string, localnet = '0\n') => planListen(asked, '169.254.169.254', questions(localnet));

t.test('keeps loopback where the kernel lets pods reach it', async (t) => {
  t.match(await plan('127.0.0.1', '1\n'), {
    listen: '127.0.0.1',
    target: '127.0.0.1',
    why: 'route_localnet is on',
  });
});

t.test("moves from loopback to the node's address where it does not, and says so", async (t) => {
  t.match(await plan('127.0.0.1'), { listen: '10.0.0.4', target: '10.0.0.4', why: /route_localnet is off/ });
});

t.test('takes a route_localnet that cannot be read for off', async (t) => {
  const readFile = () => Promise.reject(new Error('no such file'));
  const found = await planListen('127.0.0.1', '169.254.169.254', { ...questions(''), readFile });
  t.equal(found.target, '10.0.0.4');
});

t.test("listens everywhere when asked to, and sends pods to the node's address", async (t) => {
  for (const asked of ['0.0.0.0', '::'])
    t.match(await plan(asked), { listen: '0.0.0.0', target: '10.0.0.4' }, asked);
});

t.test('keeps any other IPv4 address', async (t) => {
  t.match(await plan('10.9.9.9'), { listen: '10.9.9.9', target: '10.9.9.9' });
});

t.test('refuses what IPv4 cannot be redirected to', async (t) => {
  for (const asked of ['fd00::1', 'localhost', ''])
    await t.rejects(plan(asked), { code: 'flag-invalid' }, asked);
});

t.test("finds the node's address by asking the kernel, without sending anything", async (t) => {
  t.equal(await kernelSourceTowards('127.0.0.1'), '127.0.0.1');
});

t.test('says so when the kernel knows no way', async (t) => {
  // The kernel refuses broadcast to a socket that did not ask for it, as it refuses an address without a route.
  await t.rejects(kernelSourceTowards('255.255.255.255'), {
    code: 'listen-failed',
    message: /own address towards/,
  });
});
