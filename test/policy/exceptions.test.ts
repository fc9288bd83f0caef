import t from 'tap';
import type { AzurePodIdentityException } from '../../lib/model/exception.ts';
import { Exceptions } from '../../lib/policy/exceptions.ts';
import { anException, aPod } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';

type Labels = Readonly<Record<string, string>>;

function covers(podLabels: Labels, labels: Labels, namespace = 'apps'): boolean {
  const exceptions = new Exceptions();
  exceptions.upsert(anException({ podLabels }));
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
  t.notOk(covers({ app: 'agent' }, { app: 'agent' }, 'other'));
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

t.test('names the first of several, in the order of their names', async (t) => {
  const exceptions = new Exceptions();
  for (const name of ['c', 'a', 'b'])
    exceptions.upsert(anException({ name, podLabels: { app: 'agent', tier: 'x' } }));
  t.equal(exceptions.covering(aPod({ labels: { app: 'agent', tier: 'x' } })), 'apps/a');
});

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
    const exception = anException({ namespace, name: pick(['a', 'b', 'c'], random), podLabels: labels() });
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
    const expected = [...all.values()]
      .filter((one) => one.namespace === pod.namespace && sharesLabel(one.podLabels, pod.labels))
      .map((one) => `${one.namespace}/${one.name}`)
      .sort()[0];
    if (exceptions.covering(pod) !== expected)
      return t.equal(exceptions.covering(pod), expected, `step ${step}`);
  }
  t.pass();
});

function sharesLabel(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).some(([key, value]) => labels[key]?.toLowerCase() === value.toLowerCase());
}
