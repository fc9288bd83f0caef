import { randomUUID } from 'node:crypto';

/** Refusals of Entra ID's token endpoint: status, `error` and words, by AADSTS number. */
const refusals = {
  28000: [
    400,
    'invalid_request',
    'Provided value for the input parameter scope is not valid because it contains more than one resource.',
  ],
  70003: [400, 'unsupported_grant_type', 'The app requested an unsupported grant type.'],
  90002: [
    400,
    'invalid_request',
    'Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.',
  ],
  700016: [
    400,
    'unauthorized_client',
    'Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant.',
  ],
  700024: [401, 'invalid_client', 'Client assertion is not within its valid time range.'],
  700023: [401, 'invalid_client', 'Client assertion audience claim does not match Realm issuer.'],
  700027: [
    401,
    'invalid_client',
    'The certificate with identifier used to sign the client assertion is not registered on application, or the signature is wrong.',
  ],
  900144: [400, 'invalid_request', 'The request body must contain the following parameter.'],
  900561: [400, 'invalid_request', 'The endpoint only accepts POST requests.'],
  1002012: [
    400,
    'invalid_scope',
    'The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.',
  ],
  7000215: [
    401,
    'invalid_client',
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.',
  ],
  7000218: [
    401,
    'invalid_client',
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ],
} as const;

export type RefusalNumber = keyof typeof refusals;

/** Status and JSON body, in the shape of login.microsoftonline.com. */
export function refusal(number: RefusalNumber): { readonly status: number; readonly body: string } {
  const [status, error, words] = refusals[number];
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const description = `AADSTS${number}: ${words} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`;
  const body = JSON.stringify({
    error,
    error_description: description,
    error_codes: [number],
    timestamp,
    trace_id: trace,
    correlation_id: correlation,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
  });
  return { status, body };
}
