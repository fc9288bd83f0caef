import t from 'tap';
import { type LabelRequirement, type LabelSelector, selects } from '../../lib/model/label-selector.ts';
import { pick, seeded } from '../fakes/random.ts';

type Labels = Readonly<Record<string, string>>;

const where = (...matchExpressions: readonly LabelRequirement[]): LabelSelector => ({
  matchLabels: {},
  matchExpressions,
});
const is = (matchLabels: Labels): LabelSelector => ({ matchLabels, matchExpressions: [] });
const requirement = (operator: LabelRequirement['operator'], ...values: string[]): LabelRequirement => ({
  key: 'tier',
  operator,
  values,
});

/** Selector, the labels that it selects, and labels that it does not. */
const rows: Readonly<
  Record<string, readonly [LabelSelector, good: readonly Labels[], bad: readonly Labels[]]>
> = {
  'an empty selector selects everything': [where(), [{}, { tier: 'front' }], []],
  'every one of matchLabels must be there, by the letter': [
    is({ tier: 'front', app: 'web' }),
    [
      { tier: 'front', app: 'web' },
      { tier: 'front', app: 'web', other: 'x' },
    ],
    [{}, { tier: 'front' }, { app: 'web' }, { tier: 'Front', app: 'web' }, { Tier: 'front', app: 'web' }],
  ],
  'an empty value is a value': [is({ tier: '' }), [{ tier: '' }], [{}, { tier: 'front' }]],
  'In: the label is there, with one of the values': [
    where(requirement('In', 'front', 'back')),
    [{ tier: 'front' }, { tier: 'back' }],
    [{}, { tier: 'FRONT' }, { tier: '' }, { app: 'front' }, { tier: 'front,back' }],
  ],
  'In may name the empty value': [where(requirement('In', '')), [{ tier: '' }], [{}, { tier: 'front' }]],
  'NotIn: any other value, or no such label': [
    where(requirement('NotIn', 'front', 'back')),
    [{}, { tier: '' }, { tier: 'middle' }, { tier: 'Front' }],
    [{ tier: 'front' }, { tier: 'back' }],
  ],
  'NotIn the empty value holds for a label that is not there': [
    where(requirement('NotIn', '')),
    [{}, { tier: 'x' }],
    [{ tier: '' }],
  ],
  'Exists: whatever the value': [
    where(requirement('Exists')),
    [{ tier: '' }, { tier: 'front' }],
    [{}, { Tier: 'front' }],
  ],
  'DoesNotExist: not even an empty one': [
    where(requirement('DoesNotExist')),
    [{}, { app: 'web' }],
    [{ tier: '' }, { tier: 'front' }],
  ],
  'all expressions must hold, also two about one key': [
    where(requirement('Exists'), requirement('NotIn', 'front')),
    [{ tier: 'back' }],
    [{}, { tier: 'front' }],
  ],
  'expressions that contradict each other select nothing': [
    where(requirement('Exists'), requirement('DoesNotExist')),
    [],
    [{}, { tier: 'front' }],
  ],
  'matchLabels and matchExpressions must both hold': [
    { matchLabels: { app: 'web' }, matchExpressions: [requirement('In', 'front')] },
    [{ app: 'web', tier: 'front' }],
    [{ app: 'web' }, { tier: 'front' }, { app: 'web', tier: 'back' }],
  ],
};

for (const [promise, [selector, good, bad]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    for (const labels of good) t.ok(selects(selector, labels), `selects ${JSON.stringify(labels)}`);
    for (const labels of bad) t.notOk(selects(selector, labels), `leaves ${JSON.stringify(labels)}`);
  });
}

t.test("takes the names of Object's own for keys like others", async (t) => {
  for (const key of ['constructor', 'toString', '__proto__']) {
    t.notOk(selects(where({ key, operator: 'Exists', values: [] }), {}), key);
    t.ok(selects(where({ key, operator: 'DoesNotExist', values: [] }), {}), key);
    t.ok(selects(where({ key, operator: 'NotIn', values: ['x'] }), {}), key);
    const labels = Object.assign(Object.create(null), JSON.parse(`{"${key}":"x"}`)) as Labels;
    if (key !== '__proto__') t.ok(selects(where({ key, operator: 'In', values: ['x'] }), labels), key);
    t.notOk(selects({ matchLabels: labels, matchExpressions: [] }, {}), key);
  }
});

t.test('an operator and its opposite never agree (seeded)', async (t) => {
  const random = seeded(17);
  const opposites = { In: 'NotIn', Exists: 'DoesNotExist' } as const;
  for (let i = 0; i < 2_000; i++) {
    const labels: Labels = random() < 0.3 ? {} : { tier: pick(['', 'a', 'b', 'A'], random) };
    const operator = pick(['In', 'Exists'], random);
    const values = operator === 'Exists' ? [] : [pick(['', 'a', 'b'], random), pick(['', 'a', 'b'], random)];
    const one = selects(where({ key: 'tier', operator, values }), labels);
    const other = selects(where({ key: 'tier', operator: opposites[operator], values }), labels);
    if (one === other) return t.fail(JSON.stringify({ labels, operator, values, one, other }));
  }
  t.pass();
});
