import type { ServerResponse } from 'node:http';
import type { DenyReason, WaitReason } from '../model/decision.ts';
import type { UpstreamAnswer } from '../model/errors.ts';
import type { Token } from '../model/token.ts';

/**
 * Every refusal that is ours, with its status: the one vocabulary of the listener. `error` values are IMDS's. The words of
 * `no-metadata-header` and the beginning of a denial are IMDS's too, since SDKs look for them; a 403 never says
 * "unreachable", which @azure/identity takes for "there is no IMDS".
 */
const refusals = {
  'http-malformed': [400, 'invalid_request', 'The request is not valid HTTP/1.1'],
  'http-too-large': [431, 'invalid_request', 'The request line or headers are too large'],
  'http-too-slow': [408, 'invalid_request', 'The request took too long to arrive'],
  'body-refused': [
    400,
    'invalid_request',
    'A request with a body, Transfer-Encoding, Expect or Upgrade is refused here',
  ],
  'body-too-large': [413, 'invalid_request', 'The body is larger than 64 kB'],
  'path-refused': [
    400,
    'invalid_request',
    'The path has a character or a form that is refused; ask for it in its plain form',
  ],
  'path-unknown': [404, 'not_found', 'There is nothing at this path'],
  'method-refused': [405, 'method_not_allowed', 'Only GET is allowed here'],
  'area-blocked': [
    403,
    'forbidden',
    'Instance metadata is blocked on this cluster (--block-instance-metadata)',
  ],
  'no-metadata-header': [400, 'invalid_request', 'Required metadata header not specified'],
  'forwarded-for': [400, 'invalid_request', 'Requests with an X-Forwarded-For header are refused'],
  'query-malformed': [400, 'invalid_request', 'The query string is malformed'],
  'query-duplicate': [400, 'invalid_request', 'The request includes a parameter more than once'],
  'resource-missing': [400, 'invalid_request', "Required query parameter 'resource' is missing"],
  'two-identities': [
    400,
    'invalid_request',
    'Name the identity by one parameter only: client_id, object_id or msi_res_id',
  ],
  'host-headers-missing': [400, 'invalid_request', 'The headers podns and podname are required'],
  'too-many-connections': [429, 'too_many_requests', 'This pod has too many connections open; try again'],
  'too-many-in-flight': [
    429,
    'too_many_requests',
    'Too many requests of this pod are waiting for their answer; try again',
  ],
  'too-many-requests': [429, 'too_many_requests', 'This pod asks too often; try again'],
  'caller-unknown': [
    404,
    'not_found',
    'No pod of this node is known to have the address that this request came from; try again',
  ],
  'pod-unknown': [
    404,
    'not_found',
    'No pod of this node is known by the name in podns and podname; try again',
  ],
  'caller-unsettled': [
    404,
    'not_found',
    'Which pod holds the address that this request came from could not be settled; try again',
  ],
  'not-synced': [
    404,
    'not_found',
    "The agent is starting and has not yet read the cluster's state; try again",
  ],
  'upstream-failed': [
    502,
    'temporarily_unavailable',
    'The instance metadata service gave no usable answer; try again',
  ],
  'upstream-timeout': [
    504,
    'temporarily_unavailable',
    'The instance metadata service did not answer in time; try again',
  ],
  'upstream-busy': [
    429,
    'too_many_requests',
    'The instance metadata service limits how often this node may ask it, and others are before this pod; try again',
  ],
  'type-unsupported': [
    400,
    'invalid_request',
    'This AzureIdentity has a spec.type that is not served: 0, 1 and 2 are',
  ],
  'internal-error': [500, 'server_error', 'The agent failed; its log tells more under this request id'],
} as const;

export type RefusalCode = keyof typeof refusals;
/** Why policy gave no token. */
export type RefusalReason = DenyReason['code'] | WaitReason['code'];

/** What goes back to the client. `code` is bounded and stands in the log and the metrics. */
export interface Answer {
  readonly code: RefusalCode | RefusalReason | 'token' | 'upstream';
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** JSON text, or an error to which the request id is added when it is sent. */
  readonly body: Buffer | string | { readonly error: string; readonly error_description: string };
  /** The connection must not be used again: what follows on it cannot be trusted to be a request. */
  readonly close?: boolean;
  /** What went wrong upstream; for the log alone. */
  readonly cause?: unknown;
}

const json = { 'content-type': 'application/json; charset=utf-8' } as const;

export function refuse(code: RefusalCode, close = false): Answer {
  const [status, error, description] = refusals[code];
  const headers = { ...json, ...headersFor[status] };
  return { code, status, headers, body: { error, error_description: description }, close };
}

/** A second is the least that Retry-After can say; a budget has room for hundreds of requests by then. */
const headersFor: Readonly<Record<number, Answer['headers']>> = {
  405: { allow: 'GET' },
  429: { 'retry-after': '1' },
};

/** No turn came towards IMDS. `retryAfter`: seconds until one may. */
export function busy(retryAfter = '1'): Answer {
  const answer = refuse('upstream-busy');
  return { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter } };
}

/** IMDS's refusal of an identity, then what is missing, in our words. Not retried by SDKs, and lets their chains go on. */
export function deny(code: DenyReason['code'], explanation: string): Answer {
  const body = { error: 'invalid_request', error_description: `Identity not found. ${explanation}` };
  return { code, status: 400, headers: json, body };
}

/** An identity that is not there yet: IMDS's own status while it is updating, which every client that retries retries. */
export function notYet(code: WaitReason['code'], explanation: string, retryAfter: boolean): Answer {
  const body = { error: 'not_found', error_description: `The identity is not there yet. ${explanation}` };
  if (!retryAfter) return { code, status: 404, headers: json, body };
  return { code, status: 503, headers: { ...json, 'retry-after': '20' }, body };
}

/** IMDS's own refusal, as it came. */
export function passOn({ status, body, retryAfter }: UpstreamAnswer): Answer {
  const headers = retryAfter === undefined ? json : { ...json, 'retry-after': retryAfter };
  return { code: 'upstream', status, headers, body };
}

/**
 * The token body that every SDK can read : numbers as strings (adal), `expires_on` behind
 * `expires_in` (MSAL .NET maps both on one property and the last wins), `resource` byte for byte as asked, and the empty
 * `refresh_token` of IMDS and of the original. `nowMs` is the time of serving: `expires_in` is never replayed from a cache.
 */
export function tokenAnswer(token: Token, asked: Asked): Answer {
  const first = fieldsOf(token, asked);
  // The original's array, and only where somebody asked for it by setting auxiliary tenants: no SDK reads it.
  const { auxiliary = [] } = token;
  return tokenReply(
    auxiliary.length === 0 ? first : [first, ...auxiliary.map((each) => fieldsOf(each, asked))],
  );
}

/** The body that the Key Vault drivers decode: the original's seven fields, and the client id beside them. */
export function hostTokenAnswer(token: Token, asked: Asked): Answer {
  const { client_id: clientid, ext_expires_in, ...seven } = fieldsOf(token, asked);
  return tokenReply({ token: seven, clientid });
}

interface Asked {
  readonly resource: string;
  readonly clientId: string;
  readonly nowMs: number;
}

function fieldsOf(token: Token, asked: Asked) {
  const left = String(Math.max(0, token.expiresOn - Math.floor(asked.nowMs / 1000)));
  return {
    access_token: token.accessToken,
    refresh_token: '',
    client_id: asked.clientId,
    expires_in: left,
    expires_on: String(token.expiresOn),
    ext_expires_in: left,
    not_before: String(token.notBefore),
    resource: asked.resource,
    token_type: token.tokenType,
  };
}

function tokenReply(body: object): Answer {
  const headers = { ...json, 'cache-control': 'no-store', pragma: 'no-cache' };
  return { code: 'token', status: 200, headers, body: JSON.stringify(body) };
}

/** Sends an answer whole, with its length and the request id that the log line carries. */
export function send(res: ServerResponse, answer: Answer, requestId: string): void {
  if (res.headersSent || res.destroyed) return;
  const body = render(answer, requestId);
  const bytes = Buffer.byteLength(body);
  res.writeHead(answer.status, {
    ...answer.headers,
    ...(answer.close && { connection: 'close' }),
    'x-ms-request-id': requestId,
    'content-length': bytes,
  });
  // As many bytes as characters is ASCII, which leaves faster by its name of one byte each.
  res.end(body, bytes === body.length ? 'latin1' : 'utf8');
}

/** The same for a socket whose request could not be parsed; the connection is over. */
export function rawAnswer(answer: Answer, requestId: string, reasonPhrase: string): string {
  const body = render(answer, requestId);
  const head = [
    `HTTP/1.1 ${answer.status} ${reasonPhrase}`,
    ...Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    `x-ms-request-id: ${requestId}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

function render({ body }: Answer, requestId: string): string | Buffer {
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body;
  return JSON.stringify({ ...body, request_id: requestId });
}
