import t, { type Test } from 'tap';
import { AppError } from '../../lib/model/errors.ts';
import type { Exec } from '../../lib/platform/exec.ts';
import { createLogger } from '../../lib/platform/log.ts';
import type { PodAddress } from '../../lib/pods/bridges.ts';
import { createNeighbourPins } from '../../lib/pods/neighbours.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeNeighbours } from '../fakes/neighbours.ts';

const a = { ip: '10.244.1.10', pod: 'apps/a' };
const b = { ip: '10.244.1.11', pod: 'apps/b' };
const plugA = { mac: '0a:58:0a:f4:01:0a', port: 'veth-a' };
const plugB = { mac: '0a:58:0a:f4:01:0b', port: 'veth-b' };

function start(t: Test, held: PodAddress[] | undefined, exec?: Exec) {
  const kernel = new FakeNeighbours('cbr0');
  const clock = new FakeClock();
  const logged: { msg: string; [field: string]: unknown }[] = [];
  const world = { held };
  const pins = createNeighbourPins({
    exec: exec ?? kernel.exec,
    clock,
    log: createLogger('json', { to: { write: (line: string) => void logged.push(JSON.parse(line)) } }),
    random: () => 0,
    bridges: () => [{ name: 'cbr0', subnets: ['10.244.1.1/24'] }],
    held: () => world.held,
  });
  const keep = async (): Promise<() => Promise<void>> => {
    const end = new AbortController();
    const kept = pins.keep(end.signal);
    const stop = async (): Promise<void> => {
      end.abort();
      await kept;
    };
    t.teardown(stop);
    await clock.advance(50);
    return stop;
  };
  const said = () => logged.map(({ msg }) => msg);
  return { kernel, clock, logged, said, world, pins, keep };
}

t.test('asks who has the address of a pod, and pins the answer', async (t) => {
  const { kernel, logged, keep } = start(t, [a]);
  kernel.plug(a.ip, plugA);
  await keep();
  t.match(kernel.entry(a.ip), { lladdr: plugA.mac, state: ['PERMANENT'], protocol: '169' });
  t.equal(kernel.fixedTo(plugA.mac), 'veth-a');
  t.match(logged, [{ msg: 'neighbour pinned', ...a, mac: plugA.mac, port: 'veth-a' }]);
  t.equal(logged.length, 1);
});

t.test('changes nothing at the next look, and nothing for pods that are not on a bridge', async (t) => {
  const { kernel, clock, keep } = start(t, [a, { ip: '192.0.2.9', pod: 'apps/routed' }]);
  kernel.plug(a.ip, plugA);
  await keep();
  const before = kernel.changes.length;
  await clock.advance(20_000);
  t.equal(kernel.changes.length, before);
});

t.test('pins a new pod as soon as it is triggered, and lets go of one that is gone', async (t) => {
  const { kernel, clock, pins, world, keep } = start(t, [a]);
  kernel.plug(a.ip, plugA);
  kernel.plug(b.ip, plugB);
  await keep();
  world.held = [b];
  pins.trigger();
  await clock.advance(300);
  t.match(kernel.entry(b.ip), { lladdr: plugB.mac, state: ['PERMANENT'] });
  t.equal(kernel.entry(a.ip), undefined);
  t.equal(kernel.fixedTo(plugA.mac), undefined);
});

t.test('touches nothing while it is not known which pods there are', async (t) => {
  const { kernel, logged, keep } = start(t, undefined);
  kernel.write({ dst: a.ip, dev: 'cbr0', lladdr: plugA.mac, state: ['PERMANENT'], protocol: '169' });
  await keep();
  t.same(kernel.changes, []);
  t.same(logged, [], 'and that is no failure');
});

t.test('takes what a killed agent left: keeps it for the same pod, learns anew for another', async (t) => {
  const { kernel, keep } = start(t, [a, b]);
  for (const [{ ip }, plug] of [
    [a, plugA],
    [b, plugB],
  ] as const) {
    kernel.plug(ip, plug);
    await kernel.exec('bridge', `fdb replace ${plug.mac} dev ${plug.port} master static sticky`.split(' '), {
      timeoutMs: 1,
    });
    kernel.write({ dst: ip, dev: 'cbr0', lladdr: plug.mac, state: ['PERMANENT'], protocol: '169' });
  }
  kernel.unplug(b.ip);
  kernel.plug(b.ip, { mac: '02:00:00:00:00:0b', port: 'veth-b2' });
  kernel.changes.length = 0;
  await keep();
  t.match(kernel.entry(b.ip), { lladdr: '02:00:00:00:00:0b', state: ['PERMANENT'] });
  t.same(
    kernel.changes.filter((line) => line.includes(a.ip)),
    [],
  );
});

t.test('says once that nobody answers, and goes on asking', async (t) => {
  const { kernel, clock, said, keep } = start(t, [a]);
  await keep();
  await clock.advance(20_000);
  t.same(said(), ['neighbour not pinned: nobody answers for the address']);
  kernel.plug(a.ip, plugA);
  await clock.advance(5_100);
  t.same(said().slice(1), ['neighbour pinned']);
});

t.test('does not pin what the port of another pod answers, and names the port', async (t) => {
  const { kernel, clock, logged, world, pins, keep } = start(t, [b]);
  kernel.plug(b.ip, plugB);
  await keep();
  kernel.plug(a.ip, plugB);
  world.held = [a, b];
  pins.trigger();
  await clock.advance(300);
  t.notMatch(kernel.entry(a.ip), { state: ['PERMANENT'] });
  const msg = "neighbour not pinned: another pod's port answers for the address";
  t.match(logged.slice(1), [{ msg, ...a, port: 'veth-b' }]);
});

t.test('tries the other pods when one step fails, says so once, and recovers', async (t) => {
  const { kernel, clock, logged, said, keep } = start(t, [a, b]);
  kernel.plug(a.ip, plugA);
  kernel.plug(b.ip, plugB);
  kernel.broken = `bridge fdb replace ${plugA.mac}`;
  await keep();
  await clock.advance(5_000);
  t.same(said(), ['neighbour pinned', 'neighbours could not be read or pinned; will retry']);
  t.match(logged[0], b);
  t.match(logged[1], { why: /bridge fdb replace .*Operation not permitted/ });
  t.notMatch(kernel.entry(a.ip), { state: ['PERMANENT'] }, 'no half pin');
  kernel.broken = undefined;
  await clock.advance(1_100);
  t.same(said().slice(2), ['neighbour pinned', 'neighbours can be pinned again']);
});

t.test('is no danger to the agent where there is no iproute2, or it talks nonsense', async (t) => {
  const missing = () => Promise.reject(new AppError('exec-missing', 'ip is not installed'));
  const nonsense = async () => ({ code: 0, stdout: 'Object "neigh" is unknown', stderr: '' });
  for (const [exec, why] of [
    [missing, /ip is not installed/],
    [nonsense, /not JSON/],
  ] as const) {
    const { logged, clock, pins, keep } = start(t, [a], exec);
    const stop = await keep();
    await clock.advance(5_000);
    t.match(logged, [{ msg: 'neighbours could not be read or pinned; will retry', why }]);
    await stop();
    await pins.withdraw();
    t.match(logged[1], { msg: 'pinned neighbours are left', cure: 'bin/cleanup-iptables', why });
    t.equal(logged.length, 2);
  }
});

t.test("withdraws every pin of ours and nothing of another program's", async (t) => {
  const { kernel, pins, keep } = start(t, [a, b]);
  kernel.plug(a.ip, plugA);
  kernel.plug(b.ip, plugB);
  const foreign = { dst: b.ip, dev: 'cbr0', lladdr: plugB.mac, state: ['PERMANENT'] };
  kernel.write(foreign);
  const stop = await keep();
  t.match(kernel.entry(a.ip), { protocol: '169' });
  await stop();
  await pins.withdraw();
  t.equal(kernel.entry(a.ip), undefined);
  t.equal(kernel.fixedTo(plugA.mac), undefined);
  t.same(kernel.entry(b.ip), foreign);
});

t.test('is content when an entry went before it was taken back', async (t) => {
  const kernel = new FakeNeighbours('cbr0');
  const { logged, pins } = start(t, [], async (file, args, options) => {
    const answer = await kernel.exec(file, args, options);
    if (args.includes('fdb')) await kernel.exec('ip', ['neigh', 'del', a.ip, 'dev', 'cbr0'], options);
    return answer;
  });
  kernel.write({ dst: a.ip, dev: 'cbr0', lladdr: plugA.mac, state: ['PERMANENT'], protocol: '169' });
  await pins.withdraw();
  t.same(logged, []);
});
