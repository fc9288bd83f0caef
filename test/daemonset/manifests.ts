import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';

/** What the tests look at of a Kubernetes object. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: Workload;
  readonly rules?: readonly Rule[];
  readonly subjects?: readonly { readonly name: string; readonly namespace?: string }[];
}

export interface Workload {
  readonly replicas?: number;
  readonly updateStrategy?: { readonly rollingUpdate: object };
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: PodSpec;
  };
}

export interface PodSpec {
  readonly containers: readonly [Container];
  readonly securityContext: object;
  readonly volumes?: readonly { readonly name: string }[];
  readonly [field: string]: unknown;
}

export interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: unknown;
  readonly env?: readonly { readonly name: string }[];
  readonly securityContext: object;
  readonly resources: { readonly limits: object };
  readonly [field: string]: unknown;
}

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const root = join(import.meta.dirname, '../..');
export const daemonset = join(root, 'daemonset');

/** Every YAML file of daemonset/ that is no template, by its path there. */
export function yamlFiles(): readonly string[] {
  const all = globSync('**/*.yaml', { cwd: daemonset });
  return all.filter((path) => !path.startsWith('chart/')).sort();
}

export function textOf(path: string): string {
  return readFileSync(join(daemonset, path), 'utf8');
}

/** All documents of a YAML text that are not empty. */
export function documentsIn(text: string): readonly Manifest[] {
  const documents: readonly unknown[] = loadAllYaml(text);
  return documents.filter((each): each is Manifest => typeof each === 'object' && each !== null);
}

/** The one with that kind and name. */
export function the(kind: string, name: string, among: readonly Manifest[]): Manifest {
  const found = among.filter((each) => each.kind === kind && each.metadata.name === name);
  const [only] = found;
  if (!only || found.length > 1) throw new Error(`${found.length} of ${kind} ${name}`);
  return only;
}

export function podSpecOf({ kind, spec }: Manifest): PodSpec {
  if (!spec) throw new Error(`${kind} has no spec`);
  return spec.template.spec;
}

/** Command line arguments as the kubelet fills them in. */
export function filledIn(args: readonly string[] = []): readonly string[] {
  return args.map((arg) => arg.replace('$(NODE_NAME)', 'node1').replace('$(NODE_IP)', '10.0.0.4'));
}

/** Every text in a value, however deep. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
