import t from 'tap';
import { BindingIndex } from '../../lib/cli/binding-index.ts';
import type { AzureIdentityBinding } from '../../lib/model/binding.ts';
import { bindingSelects, type Selectable } from '../../lib/model/selection.ts';
import { aBinding } from '../fakes/model.ts';
import { pick, seeded } from '../fakes/random.ts';

const random = seeded(77);

function somePod(): Selectable {
  const label = pick(['one', 'two', 'three', ''], random);
  const labels = { app: pick(['x', 'y'], random), ...(label !== '' && { aadpodidbinding: label }) };
  return { namespace: pick(['apps', 'shop'], random), labels };
}

function someBinding(): AzureIdentityBinding {
  const byApp = { matchLabels: { app: pick(['x', 'z'], random) }, matchExpressions: [] };
  return aBinding({
    namespace: pick(['apps', 'shop', 'idle'], random),
    selector: pick(['one', 'two', ''], random),
    podSelector: pick([undefined, undefined, byApp], random),
  });
}

/** What the index is to say, found by holding each against each. */
function slowly(bindings: readonly AzureIdentityBinding[], pods: readonly Selectable[], namespaced: boolean) {
  const meets = (binding: AzureIdentityBinding, pod: Selectable): boolean =>
    bindingSelects(binding, pod, !namespaced);
  const speaks = ({ selector, podSelector }: AzureIdentityBinding): boolean =>
    selector !== '' || podSelector !== undefined;
  return {
    has: pods.map((pod) => bindings.some((binding) => meets(binding, pod))),
    idle: bindings.filter((binding) => speaks(binding) && !pods.some((pod) => meets(binding, pod))),
  };
}

t.test('says of pods and bindings what holding each against each would (seeded)', async (t) => {
  let told = 0;
  for (let i = 0; i < 1_000; i++) {
    const bindings = Array.from({ length: 4 }, someBinding);
    const pods = Array.from({ length: 3 }, somePod);
    const namespaced = random() < 0.5;
    const index = new BindingIndex(bindings, { namespaced });
    const { has, idle } = slowly(bindings, pods, namespaced);
    const said = { has: pods.map((pod) => index.hasFor(pod)), idle: index.idle(bindings, pods) };
    if (JSON.stringify(said) !== JSON.stringify({ has, idle }))
      return t.same(said, { has, idle }, JSON.stringify({ bindings, pods, namespaced }));
    told += has.filter(Boolean).length + idle.length;
  }
  t.ok(told > 1_000, `${told} of them`);
});

t.test('holds a pod against no binding of another label', async (t) => {
  let looks = 0;
  const bindings = Array.from({ length: 5_000 }, (_, i) => {
    const { podSelector, ...binding } = aBinding({ name: `b${i}`, selector: `l${i}` });
    return Object.defineProperty(binding, 'podSelector', {
      get: () => {
        looks += 1;
        return podSelector;
      },
    }) as AzureIdentityBinding;
  });
  const index = new BindingIndex(bindings, { namespaced: false });
  const pods = Array.from({ length: 1_000 }, (_, i) => ({
    ...{ namespace: 'apps', labels: { aadpodidbinding: `l${i}` } },
  }));
  looks = 0;
  for (const pod of pods) index.hasFor(pod);
  t.ok(looks <= 2 * pods.length, `${looks} looks at bindings for ${pods.length} pods`);
  looks = 0;
  t.equal(index.idle(bindings, pods).length, 4_000);
  t.ok(looks <= 3 * bindings.length, `${looks} looks at ${bindings.length} bindings`);
});
