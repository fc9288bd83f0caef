import { isJson, type Json, type KubeObject } from './object.ts';
import type { Cause } from './status.ts';

/**
 * The structural schemas of daemonset/crds without their words; schema.test.ts holds the two together. Written down
 * again because reading YAML costs more time than starting the whole stand-in.
 */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer';
  readonly nullable?: boolean;
  readonly embedded?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additional?: Schema;
}

const text: Schema = { type: 'string' };
const integer: Schema = { type: 'integer' };
const optionalInteger: Schema = { type: 'integer', nullable: true };
const object = (properties: Readonly<Record<string, Schema>> = {}): Schema => ({
  type: 'object',
  properties,
});
const part = (properties: Readonly<Record<string, Schema>>): Schema =>
  object({ metadata: object(), ...properties });

const texts: Schema = { type: 'array', nullable: true, items: text };
const podSelector: Schema = {
  ...object({
    matchLabels: { type: 'object', additional: text },
    matchExpressions: {
      type: 'array',
      nullable: true,
      items: object({ key: text, operator: text, values: texts }),
    },
  }),
  nullable: true,
};

const whole = (spec: Readonly<Record<string, Schema>>, status: Readonly<Record<string, Schema>>): Schema =>
  object({ apiVersion: text, kind: text, metadata: object(), spec: part(spec), status: part(status) });

const identity = whole(
  {
    type: integer,
    resourceID: text,
    clientID: text,
    clientPassword: object({ name: text, namespace: text }),
    tenantID: text,
    auxiliaryTenantIDs: texts,
    adResourceID: text,
    adEndpoint: text,
    allowedNamespaces: texts,
    replicas: optionalInteger,
  },
  { availableReplicas: integer },
);

const binding = whole(
  { azureIdentity: text, selector: text, weight: integer, podSelector },
  { availableReplicas: integer },
);

export const schemas: Readonly<Record<string, Schema>> = {
  AzureIdentity: identity,
  AzureIdentityBinding: binding,
  AzureAssignedIdentity: whole(
    {
      azureIdentityRef: { ...identity, embedded: true },
      azureBindingRef: { ...binding, embedded: true },
      pod: text,
      podNamespace: text,
      nodename: text,
      replicas: optionalInteger,
    },
    { status: text, availableReplicas: integer },
  ),
  AzurePodIdentityException: whole({ podLabels: { type: 'object', additional: text } }, { status: text }),
};

/** Drops what the schema does not name. The object's own metadata is the API server's business, not the schema's. */
export function prune(custom: KubeObject): KubeObject {
  const schema = schemas[custom.kind];
  if (!schema) return custom;
  return { ...(pruned(custom, schema) as KubeObject), metadata: custom.metadata };
}

function pruned(value: unknown, schema: Schema): unknown {
  const { properties, items, additional } = schema;
  if (Array.isArray(value)) return items ? value.map((item) => pruned(item, items)) : value;
  if (!isJson(value) || additional || !properties) return value;
  const kept: Json = {};
  for (const [field, inner] of Object.entries(properties)) {
    // An absent optional value and an explicit null are the same unless the schema says nullable.
    if (value[field] === undefined || (value[field] === null && !inner.nullable)) continue;
    const own = schema.embedded && field === 'metadata';
    kept[field] = own ? value[field] : pruned(value[field], inner);
  }
  return kept;
}

/** Type errors in the words of the API server's validator. */
export function typeErrors(custom: KubeObject): Cause[] {
  const schema = schemas[custom.kind];
  return schema ? errorsIn(custom, schema, '') : [];
}

function errorsIn(value: unknown, schema: Schema, path: string): Cause[] {
  if (value === undefined || (value === null && schema.nullable)) return [];
  const actual = typeOf(value);
  if (actual !== schema.type) {
    const field = path || '<nil>';
    const why = `${field} in body must be of type ${schema.type}: "${actual}"`;
    return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: "${actual}": ${why}` }];
  }
  const inside = (field: string, inner: Schema, item: unknown): Cause[] =>
    errorsIn(item, inner, [path, field].filter(Boolean).join('.'));
  const { properties = {}, items, additional } = schema;
  const causes = missingIn(value, schema, path);
  if (items && Array.isArray(value)) causes.push(...value.flatMap((item) => errorsIn(item, items, path)));
  if (!isJson(value)) return causes;
  for (const [field, item] of Object.entries(value)) {
    const inner = properties[field] ?? additional;
    if (inner) causes.push(...inside(field, inner, item));
  }
  return causes;
}

/** An embedded resource must name its type. */
function missingIn(value: unknown, { embedded }: Schema, path: string): Cause[] {
  if (!embedded || !isJson(value)) return [];
  return ['apiVersion', 'kind']
    .filter((field) => !value[field])
    .map((field) => ({
      field: `${path}.${field}`,
      reason: 'FieldValueRequired',
      message: 'Required value: must not be empty',
    }));
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
