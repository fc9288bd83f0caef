import t from 'tap';
import { bindingSelects, keptFrom, placesFor, placesOf } from '../../lib/model/selection.ts';
import { aBinding, anIdentity, aPod } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';

const everyPod = { matchLabels: {}, matchExpressions: [] };

t.test('an index finds every binding that selects the pod (seeded)', async (t) => {
  const random = seeded(41);
  let selected = 0;
  for (let i = 0; i < 5_000; i++) {
    const anyNamespace = random() < 0.5;
    const label = pick(['one', 'two', ''], random);
    const pod = aPod({ labels: random() < 0.2 ? {} : { aadpodidbinding: label } });
    const binding = aBinding({
      namespace: pick(['apps', 'other'], random),
      selector: pick(['one', 'two', ''], random),
      podSelector: pick([undefined, everyPod, { ...everyPod, matchLabels: { app: 'x' } }], random),
    });
    if (!bindingSelects(binding, pod, anyNamespace)) continue;
    selected++;
    const places = placesFor(pod, anyNamespace);
    if (!placesOf(binding).some((place) => places.includes(place)))
      return t.fail(JSON.stringify({ pod, binding, anyNamespace }));
  }
  t.ok(selected > 500, `${selected} of them`);
});

t.test('a pod without the label is selected by no selector, not even an empty one', async (t) => {
  for (const labels of [{}, { aadpodidbinding: '' }])
    t.notOk(bindingSelects(aBinding({ selector: '' }), aPod({ labels }), true));
});

t.test('names the rule that keeps an identity from a namespace', async (t) => {
  t.equal(keptFrom(anIdentity(), 'other', false), undefined);
  t.equal(keptFrom(anIdentity(), 'other', true), 'mode');
  t.equal(keptFrom(anIdentity({ namespaced: true }), 'other', false), 'annotation');
  t.equal(keptFrom(anIdentity({ allowedNamespaces: [] }), 'apps', true), 'allowedNamespaces');
  t.equal(keptFrom(anIdentity({ allowedNamespaces: ['apps'] }), 'apps', true), undefined);
});
