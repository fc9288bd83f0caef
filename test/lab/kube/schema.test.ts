import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import t from 'tap';
import { kinds } from './kinds.ts';
import { isJson, type Json } from './object.ts';
import { type Schema, schemas } from './schema.ts';

const folder = join(import.meta.dirname, '../../../daemonset/crds');

interface Crd {
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string; readonly listKind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Json };
    }[];
  };
}

async function crdFiles(): Promise<string[]> {
  return (await readdir(folder)).filter((file) => file.startsWith('azure'));
}

t.test('each custom kind of the stand-in has the schema of its CRD', async (t) => {
  const crds = await Promise.all((await crdFiles()).map(readCrd));
  t.strictSame(
    crds.map((crd) => crd.spec.names.kind).sort(),
    kinds
      .filter((row) => row.custom)
      .map((row) => row.kind)
      .sort(),
  );
  for (const { metadata, spec } of crds) {
    const { kind, plural, listKind } = spec.names;
    t.match(
      kinds.find((row) => row.kind === kind),
      { group: spec.group, plural, version: spec.versions[0]?.name ?? '' },
    );
    t.equal(metadata.name, `${plural}.${spec.group}`);
    t.equal(listKind, `${kind}List`);
    t.equal(metadata.annotations['api-approved.kubernetes.io'], 'unapproved');
    t.strictSame(reduced(spec.versions[0]?.schema.openAPIV3Schema ?? {}), schemas[kind], kind);
  }
});

t.test('the CRDs refuse nothing that the original took', async (t) => {
  for (const file of await crdFiles()) {
    const text = await readFile(join(folder, file), 'utf8');
    t.notMatch(text, /^\s*(required|enum|pattern|default|minimum|maximum|subresources):/m, file);
  }
});

/** client-node spells `x-kubernetes-…` with underscores when it reads a CRD. */
async function readCrd(file: string): Promise<Crd> {
  return loadYaml<Crd>(await readFile(join(folder, file), 'utf8'));
}

/** Down to what {@link Schema} keeps. */
function reduced(schema: Json): Schema {
  const {
    type,
    nullable,
    properties,
    items,
    additionalProperties,
    x_kubernetes_embedded_resource: embedded,
  } = schema;
  const inner = isJson(properties)
    ? Object.entries(properties).map(([name, value]) => [name, reduced(value as Json)])
    : [];
  const leaf = type !== 'object' || additionalProperties;
  return {
    type: type as Schema['type'],
    ...(nullable ? { nullable: true } : {}),
    ...(embedded ? { embedded: true } : {}),
    ...(leaf ? {} : { properties: Object.fromEntries(inner) }),
    ...(isJson(items) ? { items: reduced(items) } : {}),
    ...(isJson(additionalProperties) ? { additional: reduced(additionalProperties) } : {}),
  };
}
