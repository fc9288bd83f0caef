import t from 'tap';
import { eventually } from '../lab/eventually.ts';
import { EventRig, podRef } from './event-rig.ts';
import { type Answer, dropAtOnce, json, refuse, sendAndClose, stall } from './hostile-api.ts';
import { connect } from './rig.ts';

const taken: Answer = json(201, { kind: 'Event' });
const hold = (): { readonly answer: Answer; readonly release: () => void } => {
  const gate = Promise.withResolvers<void>();
  return {
    answer: (response, call) => void gate.promise.then(() => taken(response, call)),
    release: gate.resolve,
  };
};
const pods = (many: number) => Array.from({ length: many }, (_, i) => podRef(`pod-${i}`));

t.test('goes on after whatever the API server answers', async (t) => {
  const { api, connection } = await connect(t);
  const rig = new EventRig(t, connection).start();
  const table: [string, Answer][] = [
    ['no credentials', refuse(401)],
    ['an admission policy', refuse(403, 'admission webhook "x" denied the request: User "a" cannot create')],
    ['a proxy', (response) => void response.writeHead(403).end('<html>')],
    ['a conflict', refuse(409)],
    ['an event that it does not like', refuse(422)],
    ['an ailing server', refuse(500)],
    ['a redirect', (response) => void response.writeHead(307, { location: '/elsewhere' }).end()],
    ['a cut', dropAtOnce],
    ['nonsense', sendAndClose('hunter2')],
    ['megabytes', json(201, { long: 'x'.repeat(100_000) })],
  ];
  for (const [what, answer] of table) {
    api.lists.push(answer);
    t.equal(await rig.outcomeOf(podRef(`failing ${what}`)), 'failed', what);
    api.lists.push(taken);
    t.equal(await rig.outcomeOf(podRef(`after ${what}`)), 'sent', `after ${what}`);
  }
  t.equal(api.calls.length, 2 * table.length, 'nothing is sent twice');
  t.same(rig.log.lines, []);
});

t.test('has one request under way, and gives each five seconds', async (t) => {
  const { api, clock, connection } = await connect(t);
  const rig = new EventRig(t, connection).start();
  const first = hold();
  const trickle: Answer = (response) => void response.writeHead(201).write('{');
  api.lists.push(first.answer, stall, trickle, taken);
  rig.report(...pods(4));
  for (let sent = 1; sent <= 4; sent++) {
    await eventually(`request ${sent}`, () => api.calls.length === sent);
    if (sent === 1) first.release();
    else if (sent < 4) await passDeadline(sent);
  }
  await rig.decided(4);
  t.same(rig.outcomes, ['sent', 'failed', 'failed', 'sent']);

  async function passDeadline(sent: number): Promise<void> {
    await clock.advance(4_999);
    t.equal(api.calls.length, sent);
    await clock.advance(1);
  }
});

t.test('holds back as long as the API server asks', async (t) => {
  const { api, clock, connection } = await connect(t);
  const rig = new EventRig(t, connection).start();
  api.lists.push(refuse(429, 'too many', { 'retry-after': '7' }), taken);
  rig.report(...pods(2));
  await eventually('it holds back', () => clock.pauses.includes(7_000));
  await clock.advance(6_999);
  t.equal(api.calls.length, 1);
  await clock.advance(1);
  await rig.decided(2);
  t.same(rig.outcomes, ['failed', 'sent']);
});

t.test('keeps 100 waiting, and tells later what found no room', async (t) => {
  const { api, connection } = await connect(t);
  const rig = new EventRig(t, connection);
  const [last = podRef('none'), ...others] = pods(101);
  rig.report(...others, last);
  t.same(rig.outcomes, ['dropped']);
  rig.start();
  await rig.decided(101);
  t.equal(rig.count('sent'), 100);
  t.equal(await rig.outcomeOf(last), 'sent');
  t.equal(api.calls.length, 101);
});

t.test('ends at once, and sends nothing of what still waits', async (t) => {
  const { api, clock, connection } = await connect(t);
  const rig = new EventRig(t, connection).start();
  api.lists.push(stall);
  rig.report(...pods(3));
  await eventually('the first is under way', () => api.calls.length === 1);
  await rig.stop();
  await eventually('its connection is closed', () => api.openSockets === 0);
  t.equal(api.calls.length, 1);
  t.equal(clock.waiting, 0, 'no timer is left');
  t.same(rig.outcomes, []);
  rig.report(podRef('late'));
  t.equal(api.calls.length, 1);
});

t.test('ends at once while it has nothing to do', async (t) => {
  const { clock, connection } = await connect(t);
  const rig = new EventRig(t, connection).start();
  await rig.stop();
  t.equal(clock.waiting, 0);
});

t.test('tells a hundred times over two connections at most', async (t) => {
  const { api, connection } = await connect(t);
  const rig = new EventRig(t, connection).start();
  rig.report(...pods(100));
  await rig.decided(100);
  t.equal(rig.count('sent'), 100);
  t.ok(api.accepted <= 2, `${api.accepted} connections`);
});
