import t, { type Test } from 'tap';
import { OwnDaemonSet, type OwnDaemonSetOptions } from '../../lib/kube/own-daemonset.ts';
import type { OwnPod } from '../../lib/kube/own-pod.ts';
import { AppError } from '../../lib/model/errors.ts';
import { eventually } from '../lab/eventually.ts';
import { type Answer, json, refuse, stall } from './hostile-api.ts';
import { daemonSet, ownPod } from './own-rig.ts';
import { connect, MemoryLog } from './rig.ts';

/** An API server that says nothing, or something of which nothing follows: a look ends in time all the same. */
const lookMs = 1_000;
const pod: OwnPod = { namespace: 'kube-system', name: 'nmi-x2x7k', uid: 'p1' };
const found = json(200, daemonSet());

/** Against a server that answers by the plural in the path; what is not said, as if all were well. */
async function create(t: Test, options: Partial<OwnDaemonSetOptions> = {}) {
  const { api, clock, connection } = await connect(t);
  const answers: Record<string, Answer> = {
    pods: json(200, ownPod()),
    daemonsets: found,
    nodes: json(200, { metadata: { name: 'node1' } }),
    namespaces: json(200, { metadata: { name: 'kube-system' } }),
  };
  const answer: Answer = (response, call) => {
    const plural = ['pods', 'daemonsets', 'nodes'].find((name) => call.path.includes(`/${name}/`));
    answers[plural ?? 'namespaces']?.(response, call);
    api.lists.push(answer);
  };
  api.lists.push(answer, answer, answer);
  const own = new OwnDaemonSet({
    connection,
    ownPod: async () => pod,
    node: 'node1',
    log: new MemoryLog(),
    random: () => 0,
    onChange: () => undefined,
    ...options,
  });
  /** A look that only the clock can end, once the server has heard so many requests. */
  const lookInVain = async (requests: number) => {
    const looking = own.look(lookMs);
    await eventually('the server was asked', () => api.calls.length >= requests, { everyMs: 2 });
    await clock.advance(lookMs - 1);
    let ended = false;
    void looking.then(() => {
      ended = true;
    });
    await clock.advance(0);
    t.equal(ended, false, 'not before its time is over');
    await clock.advance(1);
    t.equal(ended, true, 'but then');
    await clock.advance(60_000);
    return looking;
  };
  return { api, answers, own, lookInVain };
}

t.test('ends in a second when the API server never answers, with what was known', async (t) => {
  const { answers, own, lookInVain } = await create(t);
  answers.pods = stall;
  t.same(await lookInVain(1), { ownership: { kind: 'unknown' }, live: false });
  answers.pods = json(200, ownPod());
  t.match(await own.look(lookMs), { ownership: { kind: 'found' }, live: true });
  answers.pods = stall;
  t.match(await lookInVain(6), { ownership: { kind: 'found' }, live: false });
});

t.test('goes by what is told of the DaemonSet, though nothing is told of the node', async (t) => {
  const { answers, lookInVain } = await create(t);
  answers.nodes = stall;
  answers.daemonsets = refuse(404);
  t.match(await lookInVain(4), { ownership: { kind: 'gone' }, live: true });
});

t.test('knows nothing by answers that are no answers', async (t) => {
  const odd: Record<string, Answer> = {
    'not JSON': (response) => void response.end('<html>'),
    'no DaemonSet': json(200, { metadata: { name: 'nmi' } }),
    'too large': (response) => void response.end(' '.repeat(4 * 1024 * 1024 + 1)),
    'a redirect': (response) => void response.writeHead(302, { location: '/' }).end(),
  };
  for (const [what, answer] of Object.entries(odd)) {
    const { answers, own } = await create(t);
    answers.daemonsets = answer;
    t.match(await own.look(lookMs), { ownership: { kind: 'unknown' } }, what);
  }
});

t.test('ends in a second when it cannot be told which pod this is', async (t) => {
  const never = await create(t, { ownPod: () => new Promise(() => undefined) });
  t.same(await never.lookInVain(0), { ownership: { kind: 'unknown' }, live: false });
});

t.test('asks again which pod this is while the credentials cannot be read', async (t) => {
  const tries: (OwnPod | undefined)[] = [undefined, pod];
  const later = await create(t, {
    ownPod: async () => {
      const next = tries.shift();
      if (next) return next;
      throw new AppError('kubeconfig-unusable', 'the token cannot be read');
    },
  });
  t.same(await later.own.look(lookMs), { ownership: { kind: 'unknown' }, live: false });
  t.match(await later.own.look(lookMs), { ownership: { kind: 'found' }, live: true });
});

t.test('does not hide a fault of ours', async (t) => {
  const { own } = await create(t, { ownPod: () => Promise.reject(new TypeError('a bug')) });
  await t.rejects(own.look(lookMs), { message: 'a bug' });
});
