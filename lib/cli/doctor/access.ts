import type { Connection } from '../../kube/connection.ts';
import { parsing, record } from '../../kube/fields.ts';
import { answerIn } from '../../kube/get.ts';
import { messageOf } from '../../model/errors.ts';
import { quoted } from '../shell.ts';
import type { Told } from '../told.ts';
import type { Need } from './needs.ts';

/** Whether a service account has it. */
export interface Access {
  readonly program: 'NMI' | 'MIC';
  readonly account: ServiceAccount;
  readonly need: Need;
  readonly allowed: boolean;
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** Asks the API server; it takes the right to create SubjectAccessReviews. */
export async function askAccess(
  connection: Connection,
  { program, account }: Pick<Access, 'program' | 'account'>,
  all: readonly Need[],
  signal: AbortSignal,
): Promise<Told<readonly Access[]>> {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const ask = async (need: Need): Promise<Access> => {
    const body = reviewOf(account, need);
    const raw = await connection.json(path, { method: 'POST', body, maxBytes: 1024 * 1024, signal });
    const allowed = parsing(raw, (object) => record(object, 'status').allowed === true) ?? false;
    return { program, account, need, allowed };
  };
  try {
    return { kind: 'told', value: await Promise.all(all.map(ask)) };
  } catch (error) {
    const { kind } = answerIn(error);
    const why = kind === 'refused' ? 'no right to create subjectaccessreviews' : messageOf(error);
    return { kind: 'untold', why: `the rights of ${program}: ${why}` };
  }
}

/** The same question for the reader to ask again. */
export function whoCan({ account, need }: Access): string {
  const { verb, group, resource, namespace, name } = need;
  const kind = group === '' ? resource : `${resource}.${group}`;
  const where = namespace === undefined ? '-A' : `-n ${quoted(namespace)}`;
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  return `kubectl auth can-i ${verb} ${kind}${name === undefined ? '' : `/${quoted(name)}`} ${where} --as=${quoted(user)}`;
}

function reviewOf(account: ServiceAccount, need: Need): object {
  const { verb, group, resource, namespace, name } = need;
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  const groups = [
    'system:serviceaccounts',
    `system:serviceaccounts:${account.namespace}`,
    'system:authenticated',
  ];
  const attributes = {
    verb,
    group,
    resource,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes: attributes },
  };
}
