import type { ServerResponse } from 'node:http';
import type { DenyReason } from '../model/decision.ts';
import type { UpstreamAnswer } from '../model/errors.ts';
import type { Token } from '../model/token.ts';

/**
 * Every refusal that is ours, with its status: the one vocabulary of the listener. `error` values are IMDS's. The words of
 * `no-metadata-header` and the beginning of `denied` are IMDS's too, since SDKs look for them; a 403 never says
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
  'caller-unknown': [
    404,
    'not_found',
    'No pod of this node is known to have the address that this request came from; try again',
  ],
  'caller-unsettled': [
    404,
    'not_found',
    'More than one pod claims the address that this request came from; try again',
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
  'type-unsupported': [
    400,
    'invalid_request',
    'AzureIdentity types 1 and 2 (service principals) are not served by this version',
  ],
  'internal-error': [500, 'server_error', 'The agent failed; its log tells more under this request id'],
} as const;

export type RefusalCode = keyof typeof refusals;

/** What goes back to the client. `code` is bounded and stands in the log and the metrics. */
export interface Answer {
  readonly code: RefusalCode | DenyReason['code'] | 'token' | 'upstream';
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** JSON text, or an error to which the request id is added when it is sent. */
  readonly body: Buffer | string | { readonly error: string; readonly error_description: string };
  /** The connection must not be used again: what follows on it cannot be trusted to be a request. */
  readonly close?: boolean;
}

const json = { 'content-type': 'application/json; charset=utf-8' } as const;

export function refuse(code: RefusalCode, close = false): Answer {
  const [status, error, description] = refusals[code];
  const headers = status === 405 ? { ...json, allow: 'GET' } : json;
  return { code, status, headers, body: { error, error_description: description }, close };
}

/** IMDS's refusal of an identity, then what is missing, in our words. Not retried by SDKs, and lets their chains go on. */
export function deny(code: DenyReason['code'], explanation: string): Answer {
  const body = { error: 'invalid_request', error_description: `Identity not found. ${explanation}` };
  return { code, status: 400, headers: json, body };
}

/** IMDS's own refusal, as it came. */
export function passOn({ status, body, retryAfter }: UpstreamAnswer): Answer {
  const headers = retryAfter === undefined ? json : { ...json, 'retry-after': retryAfter };
  return { code: 'upstream', status, headers, body };
}

/**
 * The token body that every SDK can read (users-and-wire 3.3): numbers as strings (adal), `expires_on` behind
 * `expires_in` (MSAL .NET maps both on one property and the last wins), `resource` byte for byte as asked, and the empty
 * `refresh_token` of IMDS and of the original. `nowMs` is the time of serving: `expires_in` is never replayed from a cache.
 */
export function tokenAnswer(
  token: Token,
  asked: { resource: string; clientId: string; nowMs: number },
): Answer {
  const left = String(Math.max(0, token.expiresOn - Math.floor(asked.nowMs / 1000)));
  const body = JSON.stringify({
    access_token: token.accessToken,
    refresh_token: '',
    client_id: asked.clientId,
    expires_in: left,
    expires_on: String(token.expiresOn),
    ext_expires_in: left,
    not_before: String(token.notBefore),
    resource: asked.resource,
    token_type: token.tokenType,
  });
  return {
    code: 'token',
    status: 200,
    headers: { ...json, 'cache-control': 'no-store', pragma: 'no-cache' },
    body,
  };
}

/** Sends an answer whole, with its length and the request id that the log line carries. */
export function send(res: ServerResponse, answer: Answer, requestId: string): void {
  if (res.headersSent || res.destroyed) return;
  const body = render(answer, requestId);
  for (const [name, value] of Object.entries(answer.headers)) res.setHeader(name, value);
  if (answer.close) res.setHeader('connection', 'close');
  res.setHeader('x-ms-request-id', requestId);
  res.setHeader('content-length', Buffer.byteLength(body));
  res.writeHead(answer.status);
  res.end(body);
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
