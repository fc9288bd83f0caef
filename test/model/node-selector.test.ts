import t from 'tap';
import {
  fitsNode,
  type NodeRequirement,
  type NodeSelector,
  type NodeSelectorTerm,
} from '../../lib/model/node-selector.ts';

type Labels = Readonly<Record<string, string>>;

const where = (operator: string, key: string, ...values: string[]): NodeRequirement => ({
  key,
  operator,
  values,
});
const term = (...matchExpressions: readonly NodeRequirement[]): NodeSelectorTerm => ({
  matchExpressions,
  matchFields: [],
});
const field = (...matchFields: readonly NodeRequirement[]): NodeSelectorTerm => ({
  matchExpressions: [],
  matchFields,
});
const required = (...terms: readonly NodeSelectorTerm[]): NodeSelector => ({ labels: {}, terms });
const labels = (labels: Labels): NodeSelector => ({ labels, terms: undefined });

const linux = { 'kubernetes.io/os': 'linux' };
const name = 'node1';

/** Selector, labels that fit it, labels that do not, labels for which nobody can tell. */
const rows: Readonly<
  Record<
    string,
    readonly [NodeSelector, good: readonly Labels[], bad: readonly Labels[], odd?: readonly Labels[]]
  >
> = {
  'without a selector every node fits': [labels({}), [{}, linux], []],
  'nodeSelector: all of its labels, by the letter': [
    labels({ ...linux, pool: 'a' }),
    [
      { ...linux, pool: 'a' },
      { ...linux, pool: 'a', more: '' },
    ],
    [{}, linux, { ...linux, pool: 'A' }, { ...linux, pool: '' }],
  ],
  'In: one of the values': [
    required(term(where('In', 'pool', 'a', 'b'))),
    [{ pool: 'a' }, { pool: 'b' }],
    [{}, { pool: 'c' }],
  ],
  'NotIn: another value or none': [
    required(term(where('NotIn', 'type', 'virtual-kubelet'))),
    [{}, { type: 'vm' }],
    [{ type: 'virtual-kubelet' }],
  ],
  'Exists: any value': [required(term(where('Exists', 'gpu'))), [{ gpu: '' }, { gpu: '1' }], [{}]],
  'DoesNotExist: not even an empty one': [
    required(term(where('DoesNotExist', 'gpu'))),
    [{}, linux],
    [{ gpu: '' }],
  ],
  'Gt: a larger whole number': [
    required(term(where('Gt', 'cores', '8'))),
    [{ cores: '9' }, { cores: '16' }, { cores: '009' }, { cores: '9223372036854775807' }],
    [
      {},
      { cores: '8' },
      { cores: '7' },
      { cores: '' },
      { cores: '9.5' },
      { cores: '1e3' },
      { cores: 'many' },
      { cores: '9223372036854775808' },
    ],
  ],
  'Lt: a smaller whole number': [
    required(term(where('Lt', 'cores', '8'))),
    [{ cores: '7' }, { cores: '0' }],
    [{}, { cores: '8' }, { cores: '9' }, { cores: '-1' }, { cores: '' }],
  ],
  'numbers that a double cannot tell apart differ': [
    required(term(where('Gt', 'build', '9007199254740992'))),
    [{ build: '9007199254740993' }],
    [{ build: '9007199254740992' }],
  ],
  'Gt with no number, or with two, fits nothing': [
    required(
      term(where('Gt', 'cores', 'x')),
      term(where('Gt', 'cores')),
      term(where('Gt', 'cores', '1', '2')),
    ),
    [],
    [{ cores: '9' }, {}],
  ],
  'all of a term must hold': [
    required(term(where('In', 'pool', 'a'), where('Exists', 'gpu'))),
    [{ pool: 'a', gpu: '' }],
    [{ pool: 'a' }, { gpu: '' }],
  ],
  'one of the terms must hold': [
    required(term(where('In', 'pool', 'a')), term(where('Exists', 'gpu'))),
    [{ pool: 'a' }, { gpu: '' }],
    [{}, { pool: 'b' }],
  ],
  'an affinity without terms, and a term without requirements, fit nothing': [
    required(term()),
    [],
    [{}, linux],
  ],
  'nodeSelector and affinity must both hold': [
    { labels: linux, terms: [term(where('Exists', 'gpu'))] },
    [{ ...linux, gpu: '' }],
    [linux, { gpu: '' }],
  ],
  'matchFields: this node by its name': [required(field(where('In', 'metadata.name', name))), [{}], []],
  'matchFields: another node': [
    required(field(where('In', 'metadata.name', 'node2'))),
    [],
    [{}, { 'metadata.name': 'node2' }],
  ],
  'matchFields: every node but this one': [required(field(where('NotIn', 'metadata.name', name))), [], [{}]],
  'nobody can tell what an unknown operator or field asks': [
    required(term(where('Near', 'rack', '7'))),
    [],
    [],
    [{}, { rack: '7' }],
  ],
  'nobody can tell what an unknown field holds': [required(field(where('In', 'spec.x', 'y'))), [], [], [{}]],
  'what is unknown does not matter where something else decides': [
    { labels: linux, terms: [term(where('Near', 'rack')), term(where('Exists', 'gpu'))] },
    [{ ...linux, gpu: '' }],
    [{}, { gpu: '' }],
    [linux],
  ],
  'a term with something unknown still fails by the rest': [
    required(term(where('Near', 'rack'), where('Exists', 'gpu'))),
    [],
    [{}],
    [{ gpu: '' }],
  ],
};

for (const [promise, [selector, good, bad, odd = []]] of Object.entries(rows)) {
  t.test(promise, async (t) => {
    const fits = (labels: Labels): boolean | undefined => fitsNode(selector, { name, labels });
    for (const labels of good) t.equal(fits(labels), true, JSON.stringify(labels));
    for (const labels of bad) t.equal(fits(labels), false, JSON.stringify(labels));
    for (const labels of odd) t.equal(fits(labels), undefined, JSON.stringify(labels));
  });
}

t.test('an affinity whose list of terms is empty fits nothing', async (t) => {
  t.equal(fitsNode(required(), { name, labels: {} }), false);
});

t.test("takes the names of Object's own for labels like others", async (t) => {
  for (const key of ['constructor', '__proto__'])
    for (const operator of ['Exists', 'Gt', 'Lt'])
      t.equal(
        fitsNode(required(term(where(operator, key, '0'))), { name, labels: {} }),
        false,
        `${operator} ${key}`,
      );
});
