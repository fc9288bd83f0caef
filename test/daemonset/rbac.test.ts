import t from 'tap';
import { documentsIn, type Manifest, type Rule, textOf, yamlFiles } from './manifests.ts';

/** The rights that the files of daemonset/ give, without any program that renders them. */
interface Given extends Rule {
  readonly path: string;
}

const documents = yamlFiles()
  .filter((path) => !path.startsWith('crds/'))
  .map((path) => ({ path, all: documentsIn(textOf(path)) }));
const rulesOf = ({ rules = [] }: Manifest): readonly Rule[] => rules;
/** A rule that a patch adds is YAML in YAML. */
const patched = (document: unknown): readonly Rule[] => {
  const { patches = [] } = document as { readonly patches?: readonly { readonly patch?: string }[] };
  const lists = patches.flatMap(({ patch = '' }) => (patch.startsWith('-') ? documentsIn(patch) : []));
  const operations = lists.flat() as unknown as readonly { readonly path: string; readonly value: Rule }[];
  return operations.filter(({ path }) => path.startsWith('/rules/')).map(({ value }) => value);
};
const given: readonly Given[] = documents.flatMap(({ path, all }) =>
  all.flatMap((each) => [...rulesOf(each), ...patched(each)]).map((rule) => ({ path, ...rule })),
);

t.test('no rule has a wildcard, and each names groups, resources and verbs', async (t) => {
  t.ok(given.length >= 20, `${given.length} rules found`);
  for (const { path, apiGroups, resources, verbs } of given) {
    t.notOk([...apiGroups, ...resources, ...verbs].includes('*'), path);
    t.ok(apiGroups.length > 0 && resources.length > 0 && verbs.length > 0, path);
  }
  const templates = ['nmi-rbac', 'mic-rbac', 'user-roles'].map((name) =>
    textOf(`chart/templates/${name}.yaml`),
  );
  for (const text of templates) t.notMatch(text, /(apiGroups|resources|verbs):[^\n]*\*/);
});

t.test('Secrets are read by get alone, and only where a service principal is asked for', async (t) => {
  const secrets = given.filter(({ resources }) => resources.includes('secrets'));
  t.same([...new Set(secrets.map(({ path }) => path))].sort(), [
    'components/service-principal/kustomization.yaml',
    'components/service-principal/one-namespace.yaml',
  ]);
  for (const { verbs } of secrets) t.same(verbs, ['get']);
});

t.test('no program may change pods, nodes, roles or definitions, nor act as another', async (t) => {
  const writing = /^(create|update|patch|delete|deletecollection|impersonate|bind|escalate)$/;
  const programs = given.filter(({ path }) => path !== 'base/user-roles.yaml');
  const writes = programs.flatMap(({ resources, verbs }) =>
    resources.flatMap((resource) =>
      verbs.filter((verb) => writing.test(verb)).map((verb) => `${verb} ${resource}`),
    ),
  );
  t.same([...new Set(writes)].sort(), [
    'create azureassignedidentities',
    'create configmaps',
    'create events',
    'delete azureassignedidentities',
    'patch azureassignedidentities',
    'patch configmaps',
    'update azureassignedidentities',
    'update leases',
  ]);
});

t.test('what is written or read by name is given by name', async (t) => {
  const named = given.filter(({ resourceNames }) => resourceNames);
  t.same(
    named.map(({ resources, resourceNames }) => [...resources, ...(resourceNames ?? [])]),
    [
      ['daemonsets', 'nmi'],
      ['leases', 'aad-pod-identity-mic'],
      ['endpoints', 'aad-pod-identity-mic'],
      ['configmaps', 'aad-pod-identity-config'],
    ],
  );
});
