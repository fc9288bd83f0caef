import type { Problem } from '../../assign/problem.ts';
import { survey } from '../../assign/survey.ts';
import { identityTypes } from '../../model/identity.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { quoted } from '../shell.ts';
import type { Facts } from './facts.ts';
import { type Finding, judge, listed, together, type Verdict } from './finding.ts';

type Code = Problem['code'];

/** What MIC would say of each problem, beside its own sentence about it. */
const meanings: Readonly<Record<Code, { readonly severity: Finding['severity']; readonly why: string }>> = {
  'selector-missing': { severity: 'warning', why: 'Nobody gets an identity by it' },
  'identity-missing': {
    severity: 'error',
    why: 'The pods that it selects wait for every token and then get 404',
  },
  'type-unsupported': { severity: 'error', why: 'Nobody gets a token for it' },
  'resource-id-invalid': {
    severity: 'error',
    why: 'It cannot be put on a machine, and nobody gets a token for it',
  },
  'client-id-missing': { severity: 'error', why: 'Every request for it is refused' },
  'client-id-disputed': { severity: 'error', why: 'The pods of the wrong one get no token' },
  'identity-refused': { severity: 'error', why: 'These pods do not get it' },
  'name-collision': { severity: 'error', why: 'One of the two is not assigned' },
  'identities-too-many': { severity: 'error', why: 'Those beyond the limit are not assigned' },
  'name-too-long': { severity: 'error', why: 'It is not assigned' },
  'node-missing': { severity: 'note', why: 'Their pods wait' },
  'provider-id-invalid': { severity: 'error', why: 'Nothing is assigned to that machine' },
};

/** These are of no account without MIC: identities are put on the machines by hand. */
const standardOnly: ReadonlySet<Code> = new Set<Code>([
  'resource-id-invalid',
  'name-collision',
  'name-too-long',
  'identities-too-many',
  'node-missing',
  'provider-id-invalid',
]);

/** Identities and bindings of which nothing can come, by MIC's own code. */
export function checkIdentities(facts: Facts): Verdict {
  const { identities, bindings, pods, nodes, mode } = facts;
  return together(
    judge({ identities, bindings, pods, nodes, mode }, (read) => {
      const providers = new Map(read.nodes.map(({ name, providerId }) => [name, providerId]));
      const { problems } = survey(
        { ...read, nodes: providers, assigned: [], nowMs: 0 },
        {
          home: { subscription: '', resourceGroup: '' },
          graceMs: 0,
          prewarm: false,
          immutable: [],
          namespaced: read.mode.namespaced,
        },
      );
      return problems
        .all()
        .filter(({ code }) => !read.mode.managed || !standardOnly.has(code))
        .map(findingOf);
    }),
    judge({ identities, bindings }, (read) => unbound(read)),
    { findings: unreadable(facts.unreadable), untold: [] },
  );
}

function findingOf({ code, about, message }: Problem): Finding {
  const { severity, why } = meanings[code];
  return { severity, what: message, why, mend: mendOf(code, about) };
}

function mendOf(code: Code, { kind, namespace, name }: Problem['about']): readonly string[] {
  const where = namespace === '' ? '' : ` -n ${namespace}`;
  switch (code) {
    case 'client-id-missing':
    case 'client-id-disputed':
      return [
        'az identity show --ids=RESOURCE_ID --query=clientId --output=tsv',
        `kubectl patch azureidentity ${name}${where} --type=merge -p='{"spec":{"clientID":"CLIENT_ID"}}'`,
      ];
    case 'identity-missing':
      return [
        `kubectl get azureidentities${where}`,
        `podid add --namespace=${quoted(namespace)} --name=NAME --identity-resource-id=RESOURCE_ID --client-id=CLIENT_ID`,
      ];
    default:
      return [`kubectl describe ${kind.toLowerCase()} ${quoted(name)}${where}`];
  }
}

/** MIC speaks of identities that a binding names; these nobody can have. */
function unbound({
  identities,
  bindings,
}: {
  readonly identities: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly type: number;
    readonly clientId: string;
  }[];
  readonly bindings: readonly { readonly namespace: string; readonly azureIdentity: string }[];
}): readonly Finding[] {
  const named = new Set(
    bindings.map(({ namespace, azureIdentity }) => podKey({ namespace, name: azureIdentity })),
  );
  const loose = identities.filter((identity) => !named.has(podKey(identity)));
  const empty = loose.filter(
    ({ type, clientId }) => type === identityTypes.managedIdentity && clientId === '',
  );
  if (loose.length === 0) return [];
  const missing = empty.length > 0 ? `; without spec.clientID: ${listed(empty.map(({ name }) => name))}` : '';
  return [
    {
      severity: 'note',
      what: `AzureIdentities that no binding names: ${listed(loose.map(podKey))}${missing}`,
      why: 'No pod gets them',
      mend: ['podid list -A'],
    },
  ];
}

function unreadable(objects: readonly string[]): readonly Finding[] {
  if (objects.length === 0) return [];
  const [kind = '', key = ''] = objects[0]?.split(' ') ?? [];
  const [namespace = '', name = ''] = key.split('/');
  return [
    {
      severity: 'error',
      what: `Objects with fields of a wrong type: ${listed(objects.map(clean))}`,
      why: 'Agents and MIC take them for absent',
      mend: [`kubectl get ${quoted(kind)} ${quoted(name)} -n ${quoted(namespace)} -o yaml`],
    },
  ];
}
