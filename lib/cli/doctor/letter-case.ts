import { parsing, type Raw, record, text, texts } from '../../kube/fields.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import type { Facts } from './facts.ts';
import { type Finding, judge, together, type Verdict } from './finding.ts';

/** Something that is written in another letter case than what is read. */
export interface Odd {
  /** As it is written: `ClientID`, `aadpodidentity.k8s.io/behavior`. */
  readonly is: string;
  readonly should: string;
  /** It stands only in what was applied: the API server has dropped it. */
  readonly dropped: boolean;
}

const applied = 'kubectl.kubernetes.io/last-applied-configuration';
const behavior = 'aadpodidentity.k8s.io/Behavior';
const fields = [
  ...['type', 'resourceID', 'clientID', 'clientPassword', 'tenantID', 'auxiliaryTenantIDs', 'adEndpoint'],
  ...['allowedNamespaces', 'azureIdentity', 'selector', 'podSelector', 'weight', 'podLabels'],
];

/**
 * What manifests of before 1.6.0 wrote, whose fields began with capitals. Under the CRDs of today the API server drops such
 * fields without a word; what kubectl applied still tells of them.
 */
export function oddIn(raw: unknown): readonly Odd[] {
  const odd = parsing(raw, (object) => {
    const annotations = texts(record(object, 'metadata'), 'annotations');
    const stored = oddFields(object);
    const names = stored.map(({ is }) => is);
    const dropped = oddFields(json(annotations[applied])).filter(({ is }) => !names.includes(is));
    return [...stored, ...dropped.map((each) => ({ ...each, dropped: true })), ...oddBehavior(annotations)];
  });
  return odd ?? [];
}

/** Fields, annotations and names in a letter case that nothing reads. */
export function checkLetterCase({ identities, bindings, exceptions }: Facts): Verdict {
  return together(
    judge({ identities }, (read) => read.identities.flatMap((each) => told('AzureIdentity', each))),
    judge({ bindings }, (read) => read.bindings.flatMap((each) => told('AzureIdentityBinding', each))),
    judge({ exceptions }, (read) =>
      read.exceptions.flatMap((each) => told('AzurePodIdentityException', each)),
    ),
  );
}

function told(
  kind: string,
  object: { readonly namespace: string; readonly name: string; readonly odd: readonly Odd[] },
): readonly Finding[] {
  const { namespace, name, odd } = object;
  if (odd.length === 0) return [];
  const at = `${kind.toLowerCase()} ${name} -n ${namespace}`;
  const words = odd.map(({ is, should }) => `${clean(is)} for ${should}`).join(', ');
  const dropped = odd.every((each) => each.dropped);
  return [
    {
      severity: 'error',
      what: `${kind} ${podKey({ namespace, name })} ${dropped ? 'was applied with' : 'has'} ${words}`,
      why: 'Only the letter case that is documented is read, so that the object says less than its author meant',
      mend: [`kubectl edit ${at}`],
    },
  ];
}

function oddFields(raw: Raw): readonly Odd[] {
  const written = parsing(raw, (object) => Object.keys(record(object, 'spec'))) ?? [];
  return written.flatMap((is) => {
    const should = fields.find((field) => field !== is && field.toLowerCase() === is.toLowerCase());
    return should && !fields.includes(is) ? [{ is, should, dropped: false }] : [];
  });
}

/** Its value is exact, too. */
function oddBehavior(annotations: Readonly<Record<string, string>>): readonly Odd[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (key.toLowerCase() !== behavior.toLowerCase()) return [];
    const right = key === behavior && (value === 'namespaced' || value.toLowerCase() !== 'namespaced');
    return right ? [] : [{ is: `${key}: ${value}`, should: `${behavior}: namespaced`, dropped: false }];
  });
}

function json(value = ''): Raw {
  try {
    const parsed: unknown = JSON.parse(value);
    return parsing(parsed, (object) => ({ spec: object.spec, kind: text(object, 'kind') })) ?? {};
  } catch {
    return {};
  }
}
