import * as documents from './documents.ts';
import { headerValues, type ParsedRequest } from './parser.ts';
import type { NormalTarget } from './target.ts';
import { mintToken } from './token.ts';
import type { IssuedToken, Settings, VmIdentity } from './types.ts';

/** The VM as IMDS sees it at the moment of a request. */
export interface Vm {
  readonly identities: readonly VmIdentity[];
  readonly settings: Settings;
  /** ms since the epoch. */
  readonly now: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
  readonly issued?: IssuedToken;
}

export const tokenPath = '/metadata/identity/oauth2/token';
const noHeader = 'Required metadata header not specified';
const several =
  'Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request';
const idParameters = ['client_id', 'object_id', 'msi_res_id', 'mi_res_id', 'msi-res-id'];

/** IMDS's rules, in its order: path, method, Metadata header, X-Forwarded-For, api-version, then the document. */
export function answer(request: ParsedRequest, { path, query }: NormalTarget, vm: Vm): Answer {
  if (!request.wellFormed) return { status: 400, body: 'Bad Request', contentType: 'text/plain' };
  const methods = allowedMethods(path);
  if (!methods) return json(404, { error: 'Not found' });
  if (!methods.includes(request.method)) return json(405, { error: 'Method not allowed' });
  const refusal = refuseHeaders(request, path) ?? refuseVersion(path, query);
  if (refusal) return refusal;
  return path === tokenPath ? token(query, vm) : document(path, query);
}

function allowedMethods(path: string): string[] | undefined {
  if (path === tokenPath || path === '/metadata/identity/getplatformmetadata') return ['GET'];
  if (path === '/metadata/identity/info' || path === '/metadata/versions') return ['GET'];
  if (path === '/metadata/identity/issuecredential') return ['POST'];
  if (/^\/metadata\/scheduledevents$/.test(path)) return ['GET', 'POST'];
  return /^\/metadata\/(instance|attested|loadbalancer)(\/|$)/.test(path) ? ['GET'] : undefined;
}

function refuseHeaders({ headers }: ParsedRequest, path: string): Answer | undefined {
  if (!headerValues(headers, 'metadata').includes('true')) return refuse(path, noHeader);
  const forwarded = headers.some(([name]) => name.toLowerCase() === 'x-forwarded-for');
  return forwarded ? refuse(path, 'X-Forwarded-For header is not allowed') : undefined;
}

function refuseVersion(path: string, query: NormalTarget['query']): Answer | undefined {
  if (path === '/metadata/versions') return undefined;
  const names = query.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return refuse(path, `Query variable '${twice}' is given more than once`);
  if (/identity\/(getplatformmetadata|issuecredential|info)$/.test(path) && get(query, 'cred-api-version'))
    return undefined;
  if (documents.apiVersions.includes(get(query, 'api-version'))) return undefined;
  return json(400, {
    error:
      'Bad request. api-version is invalid or was not specified in the request. For more information refer to aka.ms/azureimds',
    'newest-versions': documents.apiVersions.slice(-3).reverse(),
  });
}

function token(query: NormalTarget['query'], vm: Vm): Answer {
  const resource = get(query, 'resource');
  if (!resource) return refuse(tokenPath, "Required query variable 'resource' is missing");
  const named = query.filter(([name, value]) => idParameters.includes(name) && value !== '');
  if (named.length > 1)
    return refuse(tokenPath, 'Only one of client_id, object_id and msi_res_id may be given');
  const identity = named[0] ? assigned(named[0], vm) : byDefault(vm);
  if (identity === 'several') return refuse(tokenPath, several);
  if (!identity) return refuse(tokenPath, 'Identity not found');
  return { status: 200, ...mintToken(identity, resource, vm.settings.tokenLifetimeSec, vm.now) };
}

function assigned([name, value]: readonly [string, string], vm: Vm): VmIdentity | undefined {
  const field = name === 'client_id' ? 'clientId' : name === 'object_id' ? 'objectId' : 'resourceId';
  const all = vm.settings.systemAssigned ? [...vm.identities, vm.settings.systemAssigned] : vm.identities;
  return all.find((identity) => identity[field].toLowerCase() === value.toLowerCase());
}

/** With one user-assigned identity and no system-assigned one, IMDS gives that one. */
function byDefault({ identities, settings }: Vm): VmIdentity | 'several' | undefined {
  if (settings.systemAssigned) return settings.systemAssigned;
  return identities.length > 1 ? 'several' : identities[0];
}

function document(path: string, query: NormalTarget['query']): Answer {
  const [, , kind = '', ...rest] = path.split('/');
  if (path === '/metadata/identity/getplatformmetadata') return json(200, documents.platformMetadata);
  if (path === '/metadata/identity/issuecredential') return json(200, documents.issuedCredential);
  if (path === '/metadata/identity/info') return json(200, documents.identityInfo);
  if (kind === 'versions') return json(200, { apiVersions: documents.apiVersions });
  if (kind === 'scheduledevents') return json(200, documents.scheduledEvents);
  if (kind === 'loadbalancer') return json(200, documents.loadBalancer);
  if (kind === 'attested') return json(200, documents.attested);
  return found(documents.below(documents.instance, rest), get(query, 'format'));
}

function found(value: unknown, format: string): Answer {
  if (value === undefined) return json(404, { error: 'Not found' });
  if (format.toLowerCase() !== 'text') return json(200, value);
  const text = typeof value === 'object' && value !== null ? Object.keys(value).join('\n') : String(value);
  return { status: 200, body: text, contentType: 'text/plain; charset=utf-8' };
}

function get(query: NormalTarget['query'], name: string): string {
  return query.find(([key]) => key === name)?.[1] ?? '';
}

function refuse(path: string, description: string): Answer {
  if (path.startsWith('/metadata/identity')) {
    return json(400, { error: 'invalid_request', error_description: description });
  }
  return json(400, { error: `Bad request. ${description}` });
}

function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value) };
}
