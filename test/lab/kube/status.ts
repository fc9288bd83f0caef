import { apiVersionOf, type Kind, resourceName } from './kinds.ts';
import type { Json } from './object.ts';

/** One reason for a 422, as `details.causes` lists it. */
export interface Cause {
  readonly field: string;
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden';
  readonly message: string;
}

/** A refusal: thrown by the rules, sent as a Status object (metav1.Status) or, where the real server does, as text. */
export class ApiError extends Error {
  readonly code: number;
  readonly body: Json | string;

  constructor(code: number, body: Json | string) {
    super(typeof body === 'string' ? body : String(body.message));
    this.code = code;
    this.body = body;
  }
}

export function failure(code: number, reason: string, message: string, more: Json = {}): ApiError {
  const { metadata = {}, ...rest } = more;
  return new ApiError(code, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reason ? { reason } : {}),
    ...rest,
    code,
  });
}

const details = (kind: Kind, name?: string): Json => ({
  ...(name ? { name } : {}),
  ...(kind.group ? { group: kind.group } : {}),
  kind: kind.plural,
});

export const badRequest = (message: string): ApiError => failure(400, 'BadRequest', message);

export const unauthorized = (): ApiError => failure(401, 'Unauthorized', 'Unauthorized');

export const notFound = (kind: Kind, name: string): ApiError =>
  failure(404, 'NotFound', `${resourceName(kind)} "${name}" not found`, { details: details(kind, name) });

/** For a resource that a known group does not have. */
export const noSuchResource = (): ApiError =>
  failure(404, 'NotFound', 'the server could not find the requested resource', { details: {} });

/** For a group that is not there, which is also what a CRD that is not installed looks like. */
export const noSuchPage = (): ApiError => new ApiError(404, '404 page not found\n');

export const methodNotAllowed = (): ApiError =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {
    details: {},
  });

export const alreadyExists = (kind: Kind, name: string): ApiError =>
  failure(409, 'AlreadyExists', `${resourceName(kind)} "${name}" already exists`, {
    details: details(kind, name),
  });

export const conflict = (kind: Kind, name: string, why: string): ApiError =>
  failure(409, 'Conflict', `Operation cannot be fulfilled on ${resourceName(kind)} "${name}": ${why}`, {
    details: details(kind, name),
  });

export const expired = (message: string, more: Json = {}): ApiError => failure(410, 'Expired', message, more);

export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

export function invalid(kind: Kind, name: string, causes: readonly Cause[]): ApiError {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const what = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return failure(422, 'Invalid', `${what} "${name}" is invalid: ${list}`, {
    details: { ...details(kind, name), kind: kind.kind, causes },
  });
}

/** A patch that is well formed and cannot be carried out. */
export const unprocessable = (): ApiError =>
  failure(422, 'Invalid', 'the server rejected our request due to an error in our request', { details: {} });

export const tooLargeVersion = (asked: number, current: number): ApiError =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });

export function forbidden(kind: Kind, message: string, name?: string, causes?: readonly Json[]): ApiError {
  const what = name ? `${resourceName(kind)} "${name}"` : resourceName(kind);
  return failure(403, 'Forbidden', `${what} is forbidden: ${message}`, {
    details: { ...details(kind, name), ...(causes ? { causes } : {}) },
  });
}

/** What DELETE answers for an object that is gone. */
export function deleted(kind: Kind, name: string, uid: string): Json {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...details(kind, name), uid },
  };
}

/** The wrapper of a list; items of CRs name their type, items of built-in kinds do not. */
export function listBody(kind: Kind, metadata: Json, items: readonly Json[]): Json {
  const bare = kind.custom ? items : items.map(({ apiVersion: _version, kind: _kind, ...rest }) => rest);
  return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata, items: bare };
}
