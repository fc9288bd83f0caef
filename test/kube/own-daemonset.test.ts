import t from 'tap';
import { OwnDaemonSet } from '../../lib/kube/own-daemonset.ts';
import { controller, daemonSet, linux, nmiWithout, OwnRig, ownPod } from './own-rig.ts';

/** What a look finds, against the API's stand-in. Nothing here waits for the bound of a look: the server answers or refuses. */
const lookMs = 1_000;
const wanted = {
  kind: 'found',
  daemonset: { name: 'nmi', uid: 'd1', deleting: false },
  namespaceDeleting: false,
};

t.test('reads its pod, the DaemonSet of that and the labels of its node', async (t) => {
  const { own } = await OwnRig.create(t);
  const { ownership, live } = await own.look(lookMs);
  t.match(ownership, wanted);
  t.match(ownership, {
    daemonset: { selector: { labels: linux } },
    node: { node: { name: 'node1', labels: linux } },
  });
  t.equal(live, true);
});

t.test('asks the API server nothing when its credentials name no pod', async (t) => {
  const rig = await OwnRig.create(t);
  const { connection, log } = rig;
  const idle = { random: () => 0, onChange: () => undefined, node: 'node1' };
  const own = new OwnDaemonSet({ connection, log, ...idle, ownPod: async () => undefined });
  await own.run(new AbortController().signal);
  t.same(await own.look(lookMs), { ownership: { kind: 'no-pod' }, live: true });
  t.same(rig.api.requests(), []);
});

t.test('remembers from the watch that the DaemonSet was deleted, while the API is away', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  await rig.watch();
  api.remove('DaemonSet', 'kube-system', 'nmi');
  await rig.knows('gone');
  await api.fault({ away: true });
  t.same(await own.look(lookMs), { ownership: { kind: 'gone', daemonset: 'kube-system/nmi' }, live: false });
});

t.test('remembers from the watch where the DaemonSet wants pods, while the API is away', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  await rig.watch();
  const before = rig.changes;
  api.put(daemonSet({}, { nodeSelector: { pool: 'b' } }));
  await rig.advanceUntil('it has heard', () => rig.changes > before);
  await api.fault({ away: true });
  const { ownership, live } = await own.look(lookMs);
  t.match(ownership, {
    kind: 'found',
    daemonset: { selector: { labels: { pool: 'b' } } },
    node: { kind: 'known' },
  });
  t.equal(live, false);
});

t.test('is told live that the DaemonSet is gone, also before the watch could', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  await rig.watch();
  await api.fault({ stall: true });
  api.remove('DaemonSet', 'kube-system', 'nmi');
  t.match(own.known(), wanted);
  t.match(await own.look(lookMs), { ownership: { kind: 'gone' }, live: true });
});

t.test('sees that the DaemonSet is being deleted in the foreground', async (t) => {
  const { api, own } = await OwnRig.create(t);
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  api.put(daemonSet({ deletionTimestamp, finalizers: ['foregroundDeletion'] }));
  t.match(await own.look(lookMs), { ownership: { kind: 'found', daemonset: { deleting: true } } });
});

t.test('sees that its namespace is being deleted, whose pods may go before the DaemonSet', async (t) => {
  const { api, own } = await OwnRig.create(t);
  const metadata = { name: 'kube-system', deletionTimestamp: '2026-01-01T00:00:00Z' };
  api.put({ apiVersion: 'v1', kind: 'Namespace', metadata });
  t.match(await own.look(lookMs), { ownership: { ...wanted, namespaceDeleting: true } });
});

t.test('takes a DaemonSet that was made anew for another one, until that has adopted our pod', async (t) => {
  const { api, own } = await OwnRig.create(t);
  await own.look(lookMs);
  api.remove('DaemonSet', 'kube-system', 'nmi');
  api.put(daemonSet({ uid: 'd2' }));
  t.same((await own.look(lookMs)).ownership, { kind: 'replaced', daemonset: 'kube-system/nmi' });
  api.put(ownPod(controller('d2')));
  t.match((await own.look(lookMs)).ownership, { kind: 'found', daemonset: { uid: 'd2' } });
});

t.test('hears a DaemonSet that was made anew on the watch, too', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  await rig.watch();
  api.remove('DaemonSet', 'kube-system', 'nmi');
  api.put(daemonSet({ uid: 'd2' }));
  await rig.knows('replaced');
  await api.fault({ away: true });
  t.match(await own.look(lookMs), { ownership: { kind: 'replaced' }, live: false });
});

t.test('tells whose its pod is when that is no DaemonSet, and watches nothing', async (t) => {
  const rig = await OwnRig.create(t);
  const { api, own } = rig;
  const pod = 'kube-system/nmi-x2x7k';
  api.put(ownPod(controller('j1', { apiVersion: 'batch/v1', kind: 'Job', name: 'once' })));
  rig.start();
  await rig.ended();
  t.same(await own.look(lookMs), { ownership: { kind: 'other-owner', pod, owner: 'Job once' }, live: true });
  t.equal(api.counts().watches, 0);
});

t.test('tells that its pod does not exist, and takes a later one of that name for another', async (t) => {
  for (const later of [undefined, { ...ownPod(), metadata: { ...ownPod().metadata, uid: 'p2' } }]) {
    const { api, own } = await OwnRig.create(t);
    api.remove('Pod', 'kube-system', 'nmi-x2x7k');
    if (later) api.put(later);
    t.match(await own.look(lookMs), {
      ownership: { kind: 'pod-gone', pod: 'kube-system/nmi-x2x7k' },
      live: true,
    });
  }
});

t.test('knows its DaemonSet after its pod was deleted by force', async (t) => {
  const { api, own } = await OwnRig.create(t);
  await own.look(lookMs);
  api.remove('Pod', 'kube-system', 'nmi-x2x7k');
  t.match(await own.look(lookMs), { ownership: wanted, live: true });
});

t.test('tells a node that is gone from one that may not be read', async (t) => {
  const gone = await OwnRig.create(t);
  gone.api.remove('Node', undefined, 'node1');
  t.match((await gone.own.look(lookMs)).ownership, { ...wanted, node: { kind: 'gone' } });
  const hidden = await OwnRig.create(t);
  await hidden.mayBe(nmiWithout('nodes', 'namespaces'));
  t.match((await hidden.own.look(lookMs)).ownership, { ...wanted, node: { kind: 'unknown' } });
});
