import t from 'tap';
import { Leader } from '../../lib/kube/leader.ts';
import { leaseIn, leaseRef, microTime } from '../../lib/kube/lease.ts';
import { originalLockIn } from '../../lib/kube/original-lock.ts';
import type { KubeApi } from '../lab/kube/server.ts';
import { micRig } from './mic-rig.ts';
import { MemoryLog } from './rig.ts';

const place = { namespace: 'default', name: 'aad-pod-identity-mic' };
const { signal } = new AbortController();
const time = microTime(Date.UTC(2026, 0, 2));
const record = { holder: 'mic-1', durationSeconds: 15, acquireTime: time, renewTime: time, transitions: 0 };

t.test('writes the Lease with the rights of MIC, and only over what was read', async (t) => {
  const { api, connection } = await micRig(t);
  const door = leaseIn(connection, place);
  t.equal(await door.read(signal), undefined);
  const made = await door.create(record, signal);
  t.match(api.get('Lease', 'default', place.name)?.spec, {
    holderIdentity: 'mic-1',
    leaseDurationSeconds: 15,
    renewTime: '2026-01-02T00:00:00.000000Z',
    leaseTransitions: 0,
  });
  t.strictSame((await door.read(signal))?.record, record);
  await t.rejects(door.create(record, signal), { code: 'kube-refused', status: 409 });
  const released = await door.update(made, { ...record, holder: '' }, signal);
  t.equal(released.record.holder, '');
  await t.rejects(door.update(made, record, signal), { code: 'kube-refused', status: 409 });
  t.match(leaseRef(made), { kind: 'Lease', ...place, uid: /./ });
});

t.test('keeps the labels of a Lease that somebody prepared, and takes it when it says nothing', async (t) => {
  const { api, connection } = await micRig(t);
  const metadata = { ...place, labels: { app: 'mic' } };
  api.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata });
  const door = leaseIn(connection, place);
  const found = await door.read(signal);
  t.match(found?.record, { holder: '', durationSeconds: 0, transitions: 0 });
  if (found) await door.update(found, record, signal);
  t.match(api.get('Lease', 'default', place.name), { metadata, spec: { holderIdentity: 'mic-1' } });
});

/** What a MIC of the original leaves in its Endpoints. */
function held(api: KubeApi, renewTime: string, holderIdentity = 'mic-old'): void {
  const leader = {
    holderIdentity,
    leaseDurationSeconds: 15,
    acquireTime: time,
    renewTime,
    leaderTransitions: 3,
  };
  const annotations = { 'control-plane.alpha.kubernetes.io/leader': JSON.stringify(leader) };
  api.put({ apiVersion: 'v1', kind: 'Endpoints', metadata: { ...place, annotations } });
}

t.test(
  "the original's lock is held as long as it is renewed, whatever its clock says, and one lease longer",
  async (t) => {
    const { api, clock, connection } = await micRig(t);
    const lock = originalLockIn(connection, place);
    t.strictSame(await lock.look(signal), { kind: 'free' }, 'no Endpoints');
    for (const renewTime of ['1999-01-01T00:00:00Z', '2099-01-01T00:00:00Z', 'nonsense']) {
      held(api, renewTime);
      t.strictSame(await lock.look(signal), { kind: 'held', by: 'mic-old' });
      await clock.advance(14_999);
      t.strictSame(await lock.look(signal), { kind: 'held', by: 'mic-old' });
    }
    await clock.advance(1);
    t.strictSame(await lock.look(signal), { kind: 'free' });
    held(api, '2026-01-01T00:00:00Z');
    t.match(await lock.look(signal), { kind: 'held' }, 'it has come back');
    held(api, '2026-01-01T00:00:01Z', '');
    t.strictSame(await lock.look(signal), { kind: 'free' }, 'released');
  },
);

t.test('an annotation that is none is nobody, and a lock that cannot be read is no answer', async (t) => {
  const { api, connection } = await micRig(t);
  const lock = originalLockIn(connection, place);
  for (const text of ['', '{', '[]', '{"holderIdentity":7}', '{"leaseDurationSeconds":15}']) {
    const annotations = { 'control-plane.alpha.kubernetes.io/leader': text };
    api.put({ apiVersion: 'v1', kind: 'Endpoints', metadata: { ...place, annotations } });
    t.strictSame(await lock.look(signal), { kind: 'free' }, text);
  }
  await api.fault({ answer: { count: 1, status: 403, plural: 'endpoints' } });
  await t.rejects(lock.look(signal), { code: 'kube-refused', status: 403 });
});

t.test('leads against the API, and tells of it on the Lease', async (t) => {
  const { api, clock, connection } = await micRig(t);
  const told: unknown[] = [];
  const leader = new Leader({
    ...{ lease: leaseIn(connection, place), original: originalLockIn(connection, place) },
    ...{ identity: 'mic-1', durationMs: 15_000, clock, random: () => 0, log: new MemoryLog() },
    tell: (about, event) => void told.push([about.kind, about.name, event.reason, event.message]),
  });
  const stop = new AbortController();
  const running = leader.run(stop.signal, async (ending) => {
    stop.abort();
    t.ok(ending.aborted);
    t.ok(leader.leading);
  });
  await running;
  t.match(api.get('Lease', 'default', place.name)?.spec, { leaseDurationSeconds: 1, leaseTransitions: 0 });
  t.notOk(api.get('Lease', 'default', place.name)?.spec?.holderIdentity);
  t.strictSame(told, [
    ['Lease', place.name, 'LeaderElection', 'mic-1 became leader'],
    ['Lease', place.name, 'LeaderElection', 'mic-1 stopped leading'],
  ]);
});
