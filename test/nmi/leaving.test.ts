import t, { type Test } from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { type Leaving, leavingOf } from '../../lib/nmi/leaving.ts';
import { daemonSet, nmiWithout, OwnRig } from '../kube/own-rig.ts';
import { eventually } from '../lab/eventually.ts';

/** A leaving agent on node1, and what its log has said. */
async function create(t: Test, ...flags: readonly string[]) {
  const rig = await OwnRig.create(t);
  const { connection, log, source: kube, api } = rig;
  const config = loadNmiConfig(['--node=node1', ...flags], {});
  const leaving = leavingOf({ config, kube, connection, log });
  return { rig, api, log, leaving };
}

/** Runs it until the test ends. */
function run(t: Test, leaving: Leaving): { ended: () => boolean } {
  const stop = new AbortController();
  let ended = false;
  const running = leaving.run(stop.signal).then(() => {
    ended = true;
  });
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  return { ended: () => ended };
}

t.test('keeps the rules while its DaemonSet wants a pod here, and says so', async (t) => {
  const { leaving, log } = await create(t);
  const why = 'its DaemonSet kube-system/nmi wants a pod on this node';
  t.same(await leaving.decide(), { kind: 'keep', why });
  t.same(log.lines, [{ level: 'info', message: 'shutdown decided', fields: { rules: 'keep', why } }]);
});

t.test('says at start what a shutdown would do, and again when that changes', async (t) => {
  const { leaving, log, api } = await create(t);
  const told = (): unknown[] => log.lines.map(({ message, fields: { rules } }) => [message, rules]);
  run(t, leaving);
  const watched = () => api.counts().watches === 1;
  await eventually('the DaemonSet is watched', watched, { everyMs: 2 });
  t.same(told(), [['what a shutdown would do', 'keep']]);
  api.put(daemonSet({ labels: { generation: '2' } }));
  api.put(daemonSet({}, { nodeSelector: { pool: 'b' } }));
  await eventually('it has told', () => log.lines.length === 2, { everyMs: 2 });
  t.match(log.lines.at(-1)?.fields, { rules: 'withdraw', why: /wants no pod on this node/ });
  api.remove('DaemonSet', 'kube-system', 'nmi');
  await eventually('it has told', () => log.lines.length === 3, { everyMs: 2 });
  await api.fault({ away: true });
  const why = 'its DaemonSet kube-system/nmi is deleted, as was heard last';
  t.same(await leaving.decide(), { kind: 'withdraw', why });
});

t.test('keeps the rules when the API server was never there', async (t) => {
  const { leaving, api } = await create(t);
  await api.fault({ away: true });
  const why = 'the API server has not told whether its DaemonSet wants a pod here';
  t.same(await leaving.decide(), { kind: 'keep', why });
});

t.test('warns once, with the cure, when there is no right to know, and withdraws then', async (t) => {
  const { leaving, log, rig } = await create(t);
  await rig.mayBe(nmiWithout('daemonsets'));
  run(t, leaving);
  await rig.advanceUntil('it has asked three times', () => rig.clock.pauses.length === 3);
  t.match(log.lines, [
    {
      level: 'warn',
      message: 'no right to watch its own DaemonSet',
      fields: { rules: 'withdraw', cure: /^grant get, list and watch on daemonsets/ },
    },
  ]);
  t.match(await leaving.decide(), { kind: 'withdraw', why: /no right to read its DaemonSet \(403\)/ });
});

t.test('runs until it is told to end, also with nothing to watch', async (t) => {
  const { leaving, api, log } = await create(t);
  api.remove('Pod', 'kube-system', 'nmi-x2x7k');
  const { ended } = run(t, leaving);
  await eventually('it has looked', () => log.lines.length === 1, { everyMs: 2 });
  t.match(log.lines[0]?.fields, { rules: 'withdraw', why: /does not exist/ });
  t.equal(ended(), false);
});

t.test('asks nobody when a flag decides', async (t) => {
  for (const kind of ['withdraw', 'keep'] as const) {
    const { leaving, api, log } = await create(t, `--on-shutdown=${kind}`);
    const { ended } = run(t, leaving);
    t.same(await leaving.decide(), { kind, why: `--on-shutdown=${kind}` });
    t.match(log.lines, [{ message: 'shutdown decided', fields: { rules: kind } }]);
    t.equal(ended(), false);
    t.same(api.requests(), []);
  }
});

t.test('needs no signal that is still to come: it ends at once with one that has', async (t) => {
  const { leaving } = await create(t, '--on-shutdown=keep');
  await leaving.run(AbortSignal.abort());
  t.pass();
});

t.test('never logs the token', async (t) => {
  const { leaving, log, rig } = await create(t);
  run(t, leaving);
  await rig.mayBe(null);
  await leaving.decide();
  await rig.api.fault({ away: true });
  await leaving.decide();
  const written = JSON.stringify([log.lines, log.debugging]);
  for (const part of rig.token.split('.')) t.notOk(written.includes(part), part.slice(0, 8));
});
