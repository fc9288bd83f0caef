import { readFileSync } from 'node:fs';
import { loadYaml } from '@kubernetes/client-node';
import { root } from './pages.ts';

/** What our CRDs say of a field. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
}

const kinds = {
  AzureIdentity: 'azureidentity',
  AzureIdentityBinding: 'azureidentitybinding',
  AzurePodIdentityException: 'azurepodidentityexception',
} as const;

export type OurKind = keyof typeof kinds;
export const ourKinds = Object.keys(kinds) as readonly OurKind[];

/** The schema of a kind, whole. */
export function schemaOf(kind: OurKind): Schema {
  interface Crd {
    readonly spec: {
      readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
    };
  }
  const file = new URL(`daemonset/crds/${kinds[kind]}.yaml`, root);
  return loadYaml<Crd>(readFileSync(file, 'utf8')).spec.versions[0]?.schema.openAPIV3Schema ?? {};
}

/** The fields of `spec` that have an effect, as a table. */
export function fieldTable(kind: OurKind): string {
  const rows = fieldsOf(schemaOf(kind).properties?.spec, '').filter((row) => !row.includes('has no effect'));
  return ['| field | type | |', '|---|---|---|', ...rows, ''].join('\n');
}

function fieldsOf({ properties = {} }: Schema = {}, prefix: string): readonly string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`;
    const inner = schema.items?.properties
      ? { prefix: `${path}[].`, of: schema.items }
      : { prefix: `${path}.`, of: schema };
    return [
      `| \`${path}\` | ${typeOf(schema)} | ${schema.description ?? ''} |`,
      ...fieldsOf(inner.of, inner.prefix),
    ];
  });
}

function typeOf({ type = '', items, additionalProperties }: Schema): string {
  if (items) return `list of ${typeOf(items)}s`;
  return additionalProperties ? `${typeOf(additionalProperties)} by name` : type;
}

/** The paths of an object that its schema does not know; the API server would drop them without a word. */
export function unknownFields(value: unknown, schema: Schema, path = ''): readonly string[] {
  if (Array.isArray(value))
    return value.flatMap((each) => unknownFields(each, schema.items ?? {}, `${path}[]`));
  const { properties, additionalProperties } = schema;
  if (typeof value !== 'object' || value === null || (!properties && !additionalProperties)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const known = properties?.[name] ?? additionalProperties;
    return known ? unknownFields(inner, known, `${path}.${name}`) : [`${path}.${name}`];
  });
}
