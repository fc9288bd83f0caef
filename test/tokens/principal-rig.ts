import { AppError } from '../../lib/model/errors.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Token } from '../../lib/model/token.ts';
import type { SecretAnswer } from '../../lib/tokens/credential.ts';
import type { EntraRequest } from '../../lib/tokens/entra.ts';
import { ServicePrincipalSource } from '../../lib/tokens/service-principal.ts';
import { FakeClock } from '../fakes/clock.ts';
import { aPrincipal } from './principals.ts';

export const vault = 'https://vault.azure.net';

/** A cluster with Secrets and an Entra ID that takes `good` for every client secret, under a clock that stands. */
export class PrincipalRig {
  readonly clock = new FakeClock();
  readonly secrets = new Map<string, Record<string, string | Buffer>>();
  readonly reads: string[] = [];
  readonly asked: EntraRequest[] = [];
  /** What the API server says in place of the Secret. */
  answer: SecretAnswer | undefined;
  /** The API server says nothing at all. */
  isStalled = false;
  /** What Entra ID does with a request; a token of an hour unless said. */
  entra = (request: EntraRequest, _signal: AbortSignal): Promise<Token> => this.judge(request);
  readonly source: ServicePrincipalSource;

  constructor(flags: { crossNamespaceSecrets?: boolean; allowedHosts?: string[] } = {}) {
    const { crossNamespaceSecrets = false, allowedHosts = [] } = flags;
    this.source = new ServicePrincipalSource({
      ...{ clock: this.clock, crossNamespaceSecrets, allowedHosts },
      readSecret: async ({ namespace, name }, signal) => {
        if (this.isStalled) return silence(signal);
        this.reads.push(`${namespace}/${name}`);
        const found = this.secrets.get(`${namespace}/${name}`);
        if (this.answer || !found) return this.answer ?? { kind: 'absent' };
        const entries = Object.entries(found).map(([key, value]) => [key, Buffer.from(value)] as const);
        return { kind: 'found', data: new Map(entries) };
      },
      acquire: (request, signal) => {
        this.asked.push(request);
        return this.entra(request, signal);
      },
    });
  }

  async judge({ tenant, credential }: EntraRequest, lifeSec = 3600): Promise<Token> {
    if (credential.kind === 'secret' && credential.secret !== 'good') throw refused('invalid_client');
    const now = Math.floor(this.clock.now() / 1000);
    return { accessToken: `of ${tenant}`, expiresOn: now + lifeSec, notBefore: now, tokenType: 'Bearer' };
  }

  fetch(identity: AzureIdentity = aPrincipal()): Promise<Token> {
    return this.source.fetch(identity, vault);
  }
}

/** What is left of a request that its signal has ended. */
function silence(signal: AbortSignal): Promise<SecretAnswer> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ kind: 'silent', why: (signal.reason as Error).message });
    signal.addEventListener('abort', end);
  });
}

/** Entra ID's refusal with this `error`. */
export function refused(error: string): AppError {
  const body = JSON.stringify({ error, error_description: 'AADSTS7000215' });
  return new AppError('entra-refused', 'refused', { status: 401, answer: { status: 401, body } });
}

/** A rig in which the Secret `apps/demo-secret` has this content. */
export function rigWith(data: Record<string, string | Buffer> = { clientSecret: 'good' }): PrincipalRig {
  const rig = new PrincipalRig();
  rig.secrets.set('apps/demo-secret', data);
  return rig;
}
