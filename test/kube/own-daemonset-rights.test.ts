import t from 'tap';
import { nmi } from '../lab/kube/access.ts';
import { daemonSet, nmiWithout, OwnRig } from './own-rig.ts';

/** What the API server's refusals and its absence mean, each before and after it has told something. */
const lookMs = 1_000;
const noRight = nmiWithout('daemonsets');

t.test('tells a right that was taken away from one that never was', async (t) => {
  const rig = await OwnRig.create(t);
  const { own } = rig;
  await rig.mayBe(noRight);
  t.same(await own.look(lookMs), { ownership: { kind: 'unread', status: 403 }, live: true });
  await rig.mayBe(nmi);
  t.match(await own.look(lookMs), { ownership: { kind: 'found' }, live: true });
  await rig.mayBe(noRight);
  t.same(await own.look(lookMs), { ownership: { kind: 'refused', status: 403 }, live: true });
});

t.test('is refused everything once its service account is deleted', async (t) => {
  const rig = await OwnRig.create(t);
  const { own } = rig;
  await own.look(lookMs);
  await rig.mayBe(null);
  t.same(await own.look(lookMs), { ownership: { kind: 'refused', status: 401 }, live: true });
});

t.test('is refused everything with a token that nobody ever knew', async (t) => {
  const rig = await OwnRig.create(t);
  const { own } = rig;
  await rig.mayBe(null);
  t.same(await own.look(lookMs), { ownership: { kind: 'unread', status: 401 }, live: true });
});

t.test('watches when the right comes after all, and could read it from then on', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  await rig.mayBe(noRight);
  rig.start();
  await rig.knows('unread');
  await rig.mayBe(nmi);
  await rig.advanceUntil('it has the right', () => own.known().kind === 'found');
  await rig.advanceUntil('it is watched', () => api.counts().watches === 1);
  await rig.mayBe(noRight);
  t.same((await own.look(lookMs)).ownership, { kind: 'refused', status: 403 });
});

t.test('asks ever more rarely for a right that is not granted', async (t) => {
  const rig = await OwnRig.create(t);
  await rig.mayBe(noRight);
  rig.start();
  await rig.advanceUntil('it has tried ten times', () => rig.clock.pauses.length === 10);
  t.same(rig.clock.pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 300_000, 300_000, 300_000]);
});

t.test('goes by a refusal of the watch while the API is away, until the watch is open again', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  await rig.watch();
  await rig.mayBe(noRight);
  await api.fault({ drop: true });
  await rig.advanceUntil('the watch is refused', () => own.known().kind === 'refused');
  await rig.mayBe(nmi);
  await rig.advanceUntil('the watch is open again', () => own.known().kind === 'found');
  await api.fault({ away: true });
  t.match(await own.look(lookMs), { ownership: { kind: 'found' }, live: false });
});

t.test('knows nothing when the API is away from start to end', async (t) => {
  const rig = await OwnRig.create(t);
  await rig.api.fault({ away: true });
  rig.start();
  await rig.advanceUntil('it has tried five times', () => rig.clock.pauses.length === 5);
  t.same(await rig.own.look(lookMs), { ownership: { kind: 'unknown' }, live: false });
});

t.test('finds out when the API that was away at start comes', async (t) => {
  const rig = await OwnRig.create(t);
  await rig.api.fault({ away: true });
  rig.start();
  await rig.advanceUntil('it has tried', () => rig.clock.pauses.length > 1);
  await rig.api.fault({ away: false });
  await rig.advanceUntil('it is watched', () => rig.api.counts().watches === 1);
  t.equal(rig.own.known().kind, 'found');
});

t.test('takes an API that answers with an error for one that tells nothing', async (t) => {
  for (const [status, plural] of [
    [500, 'daemonsets'],
    [503, 'pods'],
    [429, 'daemonsets'],
  ] as const) {
    const rig = await OwnRig.create(t);
    await rig.api.fault({ answer: { count: 1, status, plural } });
    const first = await rig.own.look(lookMs);
    t.same(first, { ownership: { kind: 'unknown' }, live: false }, `${status} at first`);
    await rig.own.look(lookMs);
    await rig.api.fault({ answer: { count: 1, status, plural: 'daemonsets' } });
    t.match(await rig.own.look(lookMs), { ownership: { kind: 'found' }, live: false }, `${status} later`);
  }
});

t.test('a DaemonSet is there, even one whose selector has a form that we do not know', async (t) => {
  const rig = await OwnRig.create(t);
  await rig.watch();
  const before = rig.changes;
  rig.api.put(daemonSet({}, { affinity: { nodeAffinity: 'soon' } }));
  await rig.advanceUntil('it has heard', () => rig.changes > before);
  t.match(rig.own.known(), { kind: 'found', daemonset: { selector: undefined } });
});

t.test('resolves when it is told to end, whatever it waits for', async (t) => {
  const rig = await OwnRig.create(t);
  await rig.api.fault({ away: true });
  rig.start();
  await rig.advanceUntil('it waits', () => rig.clock.pauses.length > 0);
  await rig.stop();
  t.pass();
});
