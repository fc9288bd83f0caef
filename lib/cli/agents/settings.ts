import { loadNmiConfig } from '../../config/load.ts';
import type { NmiConfig } from '../../config/nmi-flags.ts';
import { parsing, type Raw, record, records, strings, text } from '../../kube/fields.ts';
import { messageOf } from '../../model/errors.ts';

/** Of an agent's flags, those that decisions depend on. */
export type AgentSettings = Pick<
  NmiConfig,
  | 'operationMode'
  | 'forceNamespaced'
  | 'micNamespace'
  | 'enableScaleFeatures'
  | 'aksAddonException'
  | 'allowCrossNamespaceSecrets'
  | 'allowedAdEndpoints'
>;

/** What manifests put into an agent's environment by `fieldRef`. */
export interface PodFields {
  readonly 'spec.nodeName': string;
  readonly 'status.hostIP': string;
}

/** What a container's command line says, read as the agent reads it; a sentence where the agent itself would refuse it. */
export function settingsOf(container: Raw, pod: PodFields): NmiConfig | string {
  const line = parsing(container, (raw) => [...strings(raw, 'command'), ...strings(raw, 'args')]);
  const env = parsing(container, (raw) => environmentOf(raw, pod));
  if (!line || !env) return 'its command line cannot be read';
  const first = line.findIndex((word) => word.startsWith('-'));
  const flags = first < 0 ? [] : line.slice(first).map((word) => expanded(word, env));
  try {
    return loadNmiConfig(flags, { NODE_NAME: pod['spec.nodeName'], ...env });
  } catch (error) {
    return messageOf(error);
  }
}

/** What the manifest spells out, and the fields above. Where other values come from is not looked up. */
function environmentOf(container: Raw, pod: PodFields): Readonly<Record<string, string>> {
  const entries = records(container, 'env').map((entry) => {
    const field = text(record(record(entry, 'valueFrom'), 'fieldRef'), 'fieldPath');
    return [text(entry, 'name'), isKnown(field) ? pod[field] : text(entry, 'value')] as const;
  });
  return Object.fromEntries(entries);
}

function isKnown(field: string): field is keyof PodFields {
  return field === 'spec.nodeName' || field === 'status.hostIP';
}

/** `$(NAME)`, as the kubelet does; what it does not know, it leaves as it is. */
function expanded(word: string, env: Readonly<Record<string, string>>): string {
  return word.replace(/\$\(([\w.-]+)\)/g, (whole, name: string) =>
    Object.hasOwn(env, name) ? (env[name] ?? '') : whole,
  );
}
