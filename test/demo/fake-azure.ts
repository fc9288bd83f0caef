import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type Answer, claimsIn, refuse } from '../lab/arm/answers.ts';
import * as refusals from '../lab/arm/refusals.ts';

export interface FakeAzureOptions {
  /** PEM; plain HTTP unless said. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** VMs of resource group `g` in subscription `s`; none unless said. */
  readonly machines?: number;
  /** What the pages of that list name as the next one; the right page unless said. */
  readonly nextLink?: string;
  /** Who may read secrets, by client id; nobody unless said. */
  readonly readers?: readonly string[];
}

export interface FakeAzure {
  readonly origin: string;
  /** What was asked, as `GET PATH STATUS`, without the query. */
  readonly log: readonly string[];
  /** The next request is answered so. */
  fail(status: number, code: string, message: string): void;
}

export const secret = 'opens-the-vault';
const perPage = 2;

/** The two places where a pod takes its tokens: ARM's list of VMs, and the secrets of a Key Vault, among them `demo`. */
export async function startFakeAzure(t: Test, options: FakeAzureOptions = {}): Promise<FakeAzure> {
  const log: string[] = [];
  const faults: Answer[] = [];
  const scheme = options.tls ? 'https' : 'http';
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', `${scheme}://${request.headers.host}`);
    const { authorization = '' } = request.headers;
    const { status, body } = faults.shift() ?? answer(url, authorization, options);
    log.push(`${request.method} ${url.pathname} ${status}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  const server = options.tls ? createHttps(options.tls, serve) : createHttp(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    ...{ log, origin: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}` },
    fail: (status, code, message) => void faults.push(refuse({ status, code, message })),
  };
}

function answer(url: URL, authorization: string, options: FakeAzureOptions): Answer {
  const isVault = url.pathname.startsWith('/secrets/');
  if (!url.searchParams.has('api-version')) return refuse(refusals.noVersion);
  if (!authorization.startsWith('Bearer ')) return refuse(refusals.noToken);
  const { aud, appid, exp } = claimsIn(authorization);
  const audience = isVault ? 'https://vault.azure.net' : 'https://management.azure.com';
  const isGood = String(aud).replace(/\/$/, '') === audience && Number(exp) * 1000 > Date.now();
  if (!isGood) return refuse(refusals.badToken);
  return isVault ? secretAt(url, String(appid), options) : machinesAt(url, options);
}

function machinesAt(url: URL, { machines = 0, nextLink }: FakeAzureOptions): Answer {
  const group = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines';
  if (url.pathname !== group) return refuse(refusals.noSubscription(url.pathname.split('/')[2] ?? ''));
  const from = Number(url.searchParams.get('$skiptoken') ?? 0);
  const names = Array.from({ length: machines }, (_, at) => `vm${at}`);
  const next = new URL(url);
  next.searchParams.set('$skiptoken', String(from + perPage));
  const isLast = from + perPage >= machines;
  const page = names.slice(from, from + perPage).map((name) => ({ name, id: `${group}/${name}` }));
  const more = isLast ? {} : { nextLink: nextLink ?? next.href };
  return { status: 200, body: JSON.stringify({ value: page, ...more }) };
}

function secretAt(url: URL, appid: string, { readers = [] }: FakeAzureOptions): Answer {
  const message = `The user, group or application 'appid=${appid}' does not have secrets get permission on key vault 'kv'`;
  if (!readers.includes(appid)) return refuse({ status: 403, code: 'Forbidden', message });
  if (!/^\/secrets\/demo(\/7)?$/.test(url.pathname))
    return refuse({ status: 404, code: 'SecretNotFound', message: 'A secret with that name was not found' });
  return { status: 200, body: JSON.stringify({ value: secret, id: `${url.origin}${url.pathname}` }) };
}
