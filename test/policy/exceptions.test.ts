import t from 'tap';
import type { AzurePodIdentityException } from '../../lib/model/exception.ts';
import { Exceptions, isMic } from '../../lib/policy/exceptions.ts';
import { anException, aPod } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';

type Labels = Readonly<Record<string, string>>;

function covers(podLabels: Labels, labels: Labels, { namespace = 'apps', matchAll = false } = {}): boolean {
  const exceptions = new Exceptions();
  exceptions.upsert(anException({ podLabels, matchAll }));
  return exceptions.covering(aPod({ namespace, labels })) !== undefined;
}

t.test('one label of an exception is enough', async (t) => {
  t.ok(covers({ app: 'agent', tier: 'node' }, { app: 'web', tier: 'node' }));
  t.notOk(covers({ app: 'agent', tier: 'node' }, { app: 'node', tier: 'agent' }));
});

t.test('a value is taken in any letter case, a key by the letter', async (t) => {
  t.ok(covers({ app: 'Agent' }, { app: 'aGENT' }));
  t.notOk(covers({ app: 'agent' }, { App: 'agent' }));
  t.notOk(covers({ 'example.com/app': 'agent' }, { app: 'agent' }));
});

t.test('an exception is for the pods of its own namespace alone', async (t) => {
  t.notOk(covers({ app: 'agent' }, { app: 'agent' }, { namespace: 'other' }));
});

t.test('an exception without labels, and a pod without any, match nothing', async (t) => {
  t.notOk(covers({}, { app: 'agent' }));
  t.notOk(covers({ app: 'agent' }, {}));
  t.notOk(covers({}, {}));
});

t.test('an empty value is a value', async (t) => {
  t.ok(covers({ agent: '' }, { agent: '' }));
  t.notOk(covers({ agent: '' }, { agent: 'yes' }));
  t.notOk(covers({ agent: '' }, {}));
});

t.test('no spelling of key and value passes for another', async (t) => {
  // An exception's keys and values are free text; a pod's are checked by the API server.
  t.notOk(covers({ 'app=agent': 'x' }, { app: 'agent' }));
  t.notOk(covers({ 'app=agent': '' }, { app: 'agent' }));
  t.notOk(covers({ '': 'app=agent' }, { app: 'agent' }));
});

t.test('with match all, every label must be there, in any letter case', async (t) => {
  const all = (podLabels: Labels, labels: Labels): boolean => covers(podLabels, labels, { matchAll: true });
  t.ok(all({ app: 'agent', tier: 'Node' }, { app: 'Agent', tier: 'node', more: 'x' }));
  t.notOk(all({ app: 'agent', tier: 'node' }, { app: 'agent' }));
  t.notOk(all({ app: 'agent', tier: 'node' }, { tier: 'node' }));
  t.notOk(all({ app: 'agent', tier: 'node' }, { app: 'agent', tier: 'x' }));
  t.notOk(all({ app: 'agent' }, { App: 'agent' }));
  t.notOk(covers({ app: 'agent' }, { app: 'agent' }, { matchAll: true, namespace: 'other' }));
});

t.test('with match all, an exception without labels covers nothing', async (t) => {
  t.notOk(covers({}, { app: 'agent' }, { matchAll: true }));
  t.notOk(covers({}, {}, { matchAll: true }));
});

t.test('an exception that becomes stricter, or less so, is found as it is now', async (t) => {
  const exceptions = new Exceptions();
  const exception = anException({ podLabels: { app: 'agent', tier: 'node' } });
  const pod = aPod({ labels: { tier: 'node' } });
  exceptions.upsert(exception);
  t.ok(exceptions.covering(pod));
  exceptions.upsert({ ...exception, matchAll: true });
  t.notOk(exceptions.covering(pod));
  exceptions.upsert(exception);
  t.ok(exceptions.covering(pod));
});

t.test('says which exception it is, in words', async (t) => {
  const exceptions = new Exceptions();
  exceptions.upsert(anException());
  const covering = exceptions.covering(aPod({ labels: { app: 'agent' } }));
  t.equal(covering, 'AzurePodIdentityException apps/agents');
});

const micRows: readonly (readonly [what: string, namespace: string, labels: Labels, isIt: boolean])[] = [
  ["the original's manifests", 'mic-home', { component: 'mic', app: 'mic', more: 'x' }, true],
  [
    "the original's chart",
    'mic-home',
    { 'app.kubernetes.io/name': 'aad-pod-identity', 'app.kubernetes.io/component': 'mic' },
    true,
  ],
  [
    'the namespace in another letter case, as the original',
    'MIC-home',
    { component: 'mic', app: 'mic' },
    true,
  ],
  ['another namespace', 'apps', { component: 'mic', app: 'mic' }, false],
  ['half of the labels', 'mic-home', { component: 'mic' }, false],
  ['the other half', 'mic-home', { app: 'mic' }, false],
  ['a half of each', 'mic-home', { app: 'mic', 'app.kubernetes.io/component': 'mic' }, false],
  ['NMI of the same chart', 'mic-home', nmiLabels(), false],
  ['labels in another letter case', 'mic-home', { component: 'MIC', app: 'mic' }, false],
  ['no labels', 'mic-home', {}, false],
];

function nmiLabels(): Labels {
  return { 'app.kubernetes.io/name': 'aad-pod-identity', 'app.kubernetes.io/component': 'nmi' };
}

for (const [what, namespace, labels, isIt] of micRows) {
  t.test(`${isIt ? 'takes for MIC' : 'does not take for MIC'}: ${what}`, async (t) => {
    t.equal(isMic(aPod({ namespace, labels }), 'mic-home'), isIt);
  });
}

t.test('after any changes it answers as a scan of all exceptions would (seeded)', async (t) => {
  const random = seeded(3);
  const exceptions = new Exceptions();
  const all = new Map<string, AzurePodIdentityException>();
  const labels = (): Labels =>
    Object.fromEntries(
      Array.from({ length: Math.floor(random() * 3) }, () => [
        pick(['app', 'tier', 'App'], random),
        pick(['x', 'X', 'y', ''], random),
      ]),
    );
  for (let step = 0; step < 3000; step++) {
    const namespace = pick(['apps', 'other'], random);
    const exception = anException({
      namespace,
      name: pick(['a', 'b', 'c'], random),
      podLabels: labels(),
      matchAll: random() < 0.4,
    });
    const key = `${exception.namespace}/${exception.name}`;
    const dice = random();
    if (dice < 0.05) {
      all.clear();
      all.set(key, exception);
      exceptions.replace([exception]);
    } else if (dice < 0.4) {
      all.delete(key);
      exceptions.remove(key);
    } else {
      all.set(key, exception);
      exceptions.upsert(exception);
    }
    const pod = aPod({ namespace: pick(['apps', 'other'], random), labels: labels() });
    const covering = [...all.values()]
      .filter((one) => one.namespace === pod.namespace && matches(one, pod.labels))
      .map(({ namespace, name }) => `AzurePodIdentityException ${namespace}/${name}`);
    const answer = exceptions.covering(pod);
    const right = answer === undefined ? covering.length === 0 : covering.includes(answer);
    if (!right) return t.fail(`step ${step}: ${answer}, not one of ${covering.join()}`);
  }
  t.pass();
});

function matches({ podLabels, matchAll }: AzurePodIdentityException, labels: Labels): boolean {
  const held = Object.entries(podLabels).map(
    ([key, value]) => labels[key]?.toLowerCase() === value.toLowerCase(),
  );
  return matchAll ? held.length > 0 && held.every(Boolean) : held.some(Boolean);
}
