import { mintToken } from '../imds/token.ts';
import { Assertions } from './assertion.ts';
import { type RefusalNumber, refusal } from './refusals.ts';
import type { App, EntraFault, EntraRecord } from './types.ts';

export interface TokenRequest {
  readonly host: string;
  readonly path: string;
  readonly form: URLSearchParams;
  readonly remoteAddress: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

const lifetimeSec = 3599;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The tenants, their applications, and what was asked of them. */
export class Directory {
  readonly records: EntraRecord[] = [];
  readonly #apps = new Map<string, App>();
  readonly #assertions = new Assertions();
  #faults: { readonly fault: EntraFault; left: number }[] = [];

  /** One with the same client id is replaced. */
  register(...apps: readonly App[]): void {
    for (const app of apps) this.#apps.set(app.clientId.toLowerCase(), app);
  }

  fault(...faults: readonly EntraFault[]): void {
    this.#faults.push(...faults.map((fault) => ({ fault, left: fault.count ?? 1 })));
  }

  /** The first fault in wait for this path, used up by one. */
  takeFault(path: string): EntraFault | undefined {
    const entry = this.#faults.find(({ fault }) => path.startsWith(`/${fault.tenant ?? ''}`));
    if (!entry) return undefined;
    entry.left -= 1;
    this.#faults = this.#faults.filter(({ left }) => left > 0);
    return entry.fault;
  }

  /** Answers a request and writes it down. `instead` is what a fault answers. */
  answer(request: TokenRequest, instead?: Reply): Reply {
    const judged = instead ?? this.#judge(request);
    const reply = typeof judged === 'number' ? refusal(judged) : judged;
    const { form, path, remoteAddress } = request;
    const [secret, assertion] = [form.get('client_secret'), form.get('client_assertion')];
    const token = reply.status === 200 && !instead ? String(JSON.parse(reply.body).access_token) : undefined;
    this.records.push({
      ...{ path, remoteAddress, tenant: path.split('/')[1] ?? '', status: reply.status },
      clientId: form.get('client_id') ?? '',
      scope: form.get('scope') ?? '',
      proofKind: secret !== null ? 'secret' : assertion !== null ? 'assertion' : 'none',
      proof: secret ?? assertion ?? '',
      ...(typeof judged === 'number' && { code: judged }),
      ...(token !== undefined && { token }),
    });
    return reply;
  }

  #judge({ host, path, form }: TokenRequest): RefusalNumber | Reply {
    const tenant = (path.split('/')[1] ?? '').toLowerCase();
    const app = this.#apps.get((form.get('client_id') ?? '').toLowerCase());
    if (![...this.#apps.values()].some(({ tenants }) => tenants.includes(tenant))) return 90002;
    if (!form.has('client_id') || !form.has('scope') || !form.has('grant_type')) return 900144;
    if (form.get('grant_type') !== 'client_credentials') return 70003;
    if (!app?.tenants.includes(tenant)) return 700016;
    const scope = form.get('scope') ?? '';
    if (scope.includes(' ')) return 28000;
    if (!scope.endsWith('/.default')) return 1002012;
    const refused = this.#refuseProof(app, form, [
      `https://${host}${path}`,
      `https://${host}/${tenant}/v2.0`,
    ]);
    return refused ?? tokenFor(app, tenant, scope.slice(0, -'/.default'.length));
  }

  #refuseProof(app: App, form: URLSearchParams, audiences: readonly string[]): RefusalNumber | undefined {
    const [secret, assertion] = [form.get('client_secret'), form.get('client_assertion')];
    if (secret !== null) return app.secrets?.includes(secret) ? undefined : 7000215;
    if (assertion === null || form.get('client_assertion_type') !== assertionType) return 7000218;
    return this.#assertions.refuse(assertion, app, audiences);
  }
}

function tokenFor({ clientId }: App, tenantId: string, resource: string): Reply {
  const identity = { clientId, tenantId, objectId: `object of ${clientId}`, resourceId: '' };
  const { body } = mintToken(identity, resource, lifetimeSec, Date.now());
  const { access_token } = JSON.parse(body) as { access_token: string };
  const numbers = { expires_in: lifetimeSec, ext_expires_in: lifetimeSec };
  return { status: 200, body: JSON.stringify({ token_type: 'Bearer', ...numbers, access_token }) };
}
