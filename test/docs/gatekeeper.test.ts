import t from 'tap';
import { resourceIdOf } from '../../lib/assign/resource-id.ts';
import { armId } from '../assign/making.ts';
import { documentsIn, textOf } from '../daemonset/manifests.ts';
import { pick, seeded } from '../fakes/random.ts';

/**
 * daemonset/gatekeeper says at admission what MIC says later: its patterns, in RE2's common ground with JavaScript, accept what
 * MIC accepts.
 */
const files = { rego: 'gatekeeper/template.yaml', cel: 'gatekeeper/admission-policy.yaml' } as const;

interface Patterns {
  readonly shape: string;
  /** What has the shape and still is no id. */
  readonly climbs: string;
}

/** The two that the id in lower case is held against; throws where the file has others. */
function patternsIn(file: keyof typeof files): Patterns {
  const call =
    file === 'rego' ? /(not )?regex\.match\(`([^`]+)`, id\)/g : /(!)?variables\.id\.matches\(r'([^']+)'\)/g;
  const found = [...textOf(files[file]).matchAll(call)].map(([, not = '', pattern = '']) => ({
    not,
    pattern,
  }));
  const [shape, climbs] = found;
  if (!shape || !climbs || found.length > 2 || shape.not !== '' || climbs.not === '')
    throw new Error(`${files[file]} does not hold the id against a pattern and its exception`);
  return { shape: shape.pattern, climbs: climbs.pattern };
}

function accepts({ shape, climbs }: Patterns, id: string): boolean {
  const lower = id.toLowerCase();
  return new RegExp(shape, 'u').test(lower) && !new RegExp(climbs, 'u').test(lower);
}

const good = [
  armId('demo'),
  armId('demo').toUpperCase(),
  armId('Demo_1.x-(2)'),
  armId('...a'),
  armId('x'.repeat(128)),
  armId('demo').replace('/group/', '/grüße.(1)_组/'),
  armId('demo').replace('resourcegroups', 'resourceGroups'),
];
const bad = [
  ...['', 'demo', '/', armId(''), armId('.'), armId('..'), armId('a/b'), armId('a b'), armId('a%2e')],
  ...[`${armId('demo')}/`, ` ${armId('demo')}`, `${armId('demo')}\n`, armId('demo').slice(1)],
  ...[`x${armId('demo')}`, armId('x'.repeat(129)), armId('demo').replace('sub/', '../')],
  ...[armId('demo').replace('/group/', '/.../'), armId('demo').replace('/group', '')],
  ...[armId('demo').replace('ManagedIdentity', 'Compute'), armId('demo').replace('Microsoft.', 'Microsoftx')],
  armId('demo').replace('userAssignedIdentities', 'systemAssignedIdentities'),
  armId('demo').replaceAll('s', 'ſ'),
];

for (const file of ['rego', 'cel'] as const) {
  t.test(`${files[file]} accepts the resource ids that MIC accepts, and no other`, async (t) => {
    const patterns = patternsIn(file);
    for (const id of good) t.ok(accepts(patterns, id) && resourceIdOf(id), id);
    for (const id of bad) t.notOk(accepts(patterns, id) || resourceIdOf(id), id);
  });
}

t.test('also those that are one or two slips of the pen away (seeded)', async (t) => {
  const random = seeded(11);
  const patterns = patternsIn('cel');
  const letters = ['/', '.', '..', '%', ' ', '\n', '\\', 'x', 'É', '-', '(', '', '', ''] as const;
  let accepted = 0;
  for (let turn = 0; turn < 5_000; turn++) {
    let id = pick(good as [string, ...string[]], random);
    for (let slip = random() < 0.5 ? 1 : 2; slip > 0; slip--) {
      const at = Math.floor(random() * (id.length + 1));
      id = id.slice(0, at) + pick(letters, random) + id.slice(at + (random() < 0.5 ? 1 : 0));
    }
    const isGood = resourceIdOf(id) !== undefined;
    if (isGood) accepted += 1;
    if (accepts(patterns, id) !== isGood) t.fail(`${JSON.stringify(id)} is ${isGood}ly good`);
  }
  t.ok(accepted > 500 && accepted < 4_500, `${accepted} of 5,000 are good`);
});

t.test('Gatekeeper and the API server go by the same patterns', async (t) => {
  t.same(patternsIn('rego'), patternsIn('cel'));
});

t.test('what belongs together has the same name, and only AzureIdentities are asked about', async (t) => {
  const [template] = documentsIn(textOf(files.rego));
  const [constraint] = documentsIn(textOf('gatekeeper/constraint.yaml'));
  const [policy, binding] = documentsIn(textOf(files.cel));
  const kind = 'AzureIdentityFormat';
  const group = 'aadpodidentity.k8s.io';
  t.match(template, { metadata: { name: kind.toLowerCase() }, spec: { crd: { spec: { names: { kind } } } } });
  const kinds = [{ apiGroups: [group], kinds: ['AzureIdentity'] }];
  t.match(constraint, { kind, spec: { enforcementAction: 'deny', match: { kinds } } });
  const resourceRules = [
    { apiGroups: [group], resources: ['azureidentities'], operations: ['CREATE', 'UPDATE'] },
  ];
  t.match(policy, { spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules } } });
  t.match(binding, { spec: { policyName: policy?.metadata.name, validationActions: ['Deny'] } });
});
