import { proxyUrlOf } from '../config/load.ts';
import type { NmiConfig } from '../config/nmi-flags.ts';
import type { Connection } from '../kube/connection.ts';
import { readSecret } from '../kube/secret.ts';
import type { Clock } from '../platform/clock.ts';
import type { NmiMetrics } from '../platform/metrics.ts';
import { CertificateDates } from '../tokens/certificate-dates.ts';
import { createEntra } from '../tokens/entra.ts';
import { createEntraDispatcher, createPostForm } from '../tokens/entra-http.ts';
import { measured } from '../tokens/measured.ts';
import { ServicePrincipalSource } from '../tokens/service-principal.ts';
import type { TokenSource } from '../tokens/source.ts';

export interface ServicePrincipalParts {
  readonly config: NmiConfig;
  readonly connection: Connection;
  readonly clock: Clock;
  readonly metrics: NmiMetrics;
}

/** Where the tokens of AzureIdentity types 1 and 2 come from. `close` breaks off what is under way. */
export function servicePrincipalsOf({ config, connection, clock, metrics }: ServicePrincipalParts): {
  readonly source: TokenSource;
  close(): Promise<void>;
} {
  const url = proxyUrlOf(config.httpsProxy) ?? '';
  const dispatcher = createEntraDispatcher({ url, except: config.noProxy });
  const dates = new CertificateDates(clock, metrics);
  const source = new ServicePrincipalSource({
    clock,
    readSecret: async (name, signal) => {
      const answer = await readSecret(connection, name, signal);
      if (answer.kind !== 'found') metrics.kubeErrors.inc({ operation_type: 'get_secret' });
      return answer;
    },
    acquire: createEntra(createPostForm(dispatcher), clock),
    allowedHosts: config.allowedAdEndpoints ?? [],
    crossNamespaceSecrets: config.allowCrossNamespaceSecrets,
    onCertificate: (identity, expiresOn) => dates.note(identity, expiresOn),
  });
  return {
    source: { ...measured(source, 'adal_token', metrics, clock), enter: source.enter },
    close: () => dispatcher.destroy(),
  };
}
