import type { Connection } from './connection.ts';
import { parsing, texts } from './fields.ts';
import { type Answer, getObject } from './get.ts';
import { plainName } from './resources.ts';

/** The bytes of a Secret by key. They never enter an error or a log. */
export type SecretData = ReadonlyMap<string, Buffer>;

export type SecretAnswer =
  | Exclude<Answer, { kind: 'found' }>
  | { readonly kind: 'found'; readonly data: SecretData };

/**
 * One GET of a Secret, ended by `signal`. A name that the API server would not take is answered `absent` without asking: it
 * comes from an object of a user, and must not lead to another path.
 */
export async function readSecret(
  connection: Connection,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<SecretAnswer> {
  if (!plainName.test(namespace) || !plainName.test(name)) return { kind: 'absent' };
  const answer = await getObject(connection, `/api/v1/namespaces/${namespace}/secrets/${name}`, signal);
  if (answer.kind !== 'found') return answer;
  const data = parsing(answer.raw, (raw) => texts(raw, 'data'));
  if (!data) return { kind: 'silent', why: 'the API server answered with something that is not a Secret' };
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  return { kind: 'found', data: new Map(decoded) };
}
