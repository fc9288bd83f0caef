import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { Connections } from '../../lib/metadata/connections.ts';
import { FakeClock, settle } from '../fakes/clock.ts';

const limits = { perAddress: 2, surplus: 0, surplusMs: 2_000 };

function limited(changes: Partial<typeof limits> = {}): Connections {
  return new Connections(new FakeClock(), { ...limits, ...changes });
}

/** As much of a socket as counting needs. */
class FakeSocket extends EventEmitter {
  readonly remoteAddress: string | undefined;
  destroyed = false;

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

function admitted(connections: Connections, address: string | undefined): FakeSocket {
  const socket = new FakeSocket(address);
  const isHeard = connections.admit(socket as unknown as Socket);
  if (isHeard === socket.destroyed) throw new Error('admit says one thing and does the other');
  return socket;
}

t.test('an address has so many connections and no more, until one closes', (t) => {
  const connections = limited();
  const [first, second, third] = ['10.0.0.1', '10.0.0.1', '10.0.0.1'].map((ip) => admitted(connections, ip));
  t.same([first?.destroyed, second?.destroyed, third?.destroyed], [false, false, true]);
  t.notOk(admitted(connections, '10.0.0.2').destroyed, 'another address is not concerned');
  t.ok(admitted(connections, '10.0.0.1').destroyed, 'one that was refused made no room');
  first?.destroy();
  t.notOk(admitted(connections, '10.0.0.1').destroyed);
  t.ok(admitted(connections, '10.0.0.1').destroyed);
  t.end();
});

t.test('an address whose connections have all closed starts anew', (t) => {
  const connections = limited({ perAddress: 1 });
  for (const _ of [1, 2, 3]) {
    const socket = admitted(connections, '10.0.0.1');
    t.notOk(socket.destroyed);
    socket.destroy();
  }
  t.end();
});

t.test('takes no connection that is gone before it is counted', (t) => {
  t.ok(admitted(limited(), undefined).destroyed);
  t.end();
});

t.test('keeps one too many for a short time to be told why, and of those no more than so many', async (t) => {
  const clock = new FakeClock();
  const connections = new Connections(clock, { ...limits, perAddress: 1, surplus: 2 });
  const surplus = (socket: FakeSocket): boolean => connections.isSurplus(socket as unknown as Socket);
  const first = admitted(connections, '10.0.0.1');
  const [second, third, fourth] = ['10.0.0.1', '10.0.0.1', '10.0.0.1'].map((ip) => admitted(connections, ip));
  if (!second || !third || !fourth) throw new Error('three were admitted');
  t.same([first, second, third].map(surplus), [false, true, true]);
  t.ok(fourth.destroyed);
  t.notOk(surplus(admitted(connections, '10.0.0.2')), 'another address is not concerned');
  await clock.advance(1_999);
  t.notOk(second.destroyed);
  third.destroy();
  t.equal(clock.waiting, 1, 'one that left needs no end');
  t.notOk(admitted(connections, '10.0.0.1').destroyed, 'and makes room');
  await clock.advance(1);
  t.ok(second.destroyed);
  t.notOk(first.destroyed);
  first.destroy();
  t.notOk(surplus(admitted(connections, '10.0.0.1')), 'none of them was counted');
});

t.test('does the work of one connection in order, and none behind one that ended it', async (t) => {
  const connections = limited();
  const socket = new FakeSocket('10.0.0.1') as unknown as Socket;
  const other = new FakeSocket('10.0.0.1') as unknown as Socket;
  const log: string[] = [];
  const gate = Promise.withResolvers<boolean>();
  void connections.inTurn(socket, () => {
    log.push('first begun');
    return gate.promise;
  });
  void connections.inTurn(socket, () => log.push('second') > 9);
  void connections.inTurn(socket, () => log.push('never') > 0);
  void connections.inTurn(other, () => log.push('other') > 0);
  await settle();
  t.same(log, ['first begun', 'other'], 'the second waits, another connection does not');
  t.same([connections.isBusy(socket), connections.isBusy(other)], [true, false]);
  gate.resolve(true);
  await settle();
  t.same(log, ['first begun', 'other', 'second']);
  t.notOk(connections.isBusy(socket));
});

t.test('strangers share what one address may have, and who has no business is refused', (t) => {
  const standing: Record<string, 'known' | 'stranger' | 'refused'> = {
    '10.0.0.1': 'known',
    '10.9.9.9': 'refused',
  };
  const limits = {
    perAddress: 2,
    surplus: 0,
    standingOf: (address: string) => standing[address] ?? 'stranger',
  };
  const connections = new Connections(new FakeClock(), limits);
  t.notOk(admitted(connections, '10.0.1.1').destroyed);
  t.notOk(admitted(connections, '10.0.1.2').destroyed);
  t.ok(admitted(connections, '10.0.1.3').destroyed, 'whatever address it takes');
  t.notOk(admitted(connections, '10.0.0.1').destroyed, 'a pod has its own');
  t.ok(admitted(connections, '10.9.9.9').destroyed);
  t.end();
});
