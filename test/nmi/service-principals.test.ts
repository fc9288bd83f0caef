import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { Connection } from '../../lib/kube/connection.ts';
import { servicePrincipalsOf } from '../../lib/nmi/service-principals.ts';
import { systemClock as clock } from '../../lib/platform/clock.ts';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { failureOf } from '../fakes/failure.ts';
import { issue, pfxOf } from '../lab/entra/issued.ts';
import { startKubeApi } from '../lab/kube/server.ts';
import { secretObject } from '../lab/objects.ts';
import { aPrincipal } from '../tokens/principals.ts';

t.test(
  'the end of a certificate is told in the metrics, also while nobody gives a token for it',
  async (t) => {
    const own = issue('app');
    const api = await startKubeApi();
    t.teardown(() => api.close());
    api.put(secretObject('demo-secret', 'apps', { certificate: pfxOf(own.key, [own.cert], '') }));
    const folder = mkdtempSync(join(tmpdir(), 'principals-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, api.kubeconfig('admin-token'));
    const connection = new Connection({ source: { kind: 'kubeconfig', path }, userAgent: 'test', clock });
    t.teardown(() => connection.close());

    // Nobody listens on the loopback's HTTPS port; a real Entra ID is never asked.
    const config = loadNmiConfig(['--node=node1', '--allowed-ad-endpoints=https://localhost'], {});
    const metrics = new NmiMetrics();
    const principals = servicePrincipalsOf({ config, connection, clock, metrics });
    t.teardown(() => principals.close());
    const identity = aPrincipal(
      { adEndpoint: 'https://localhost' },
      { type: 2, namespace: 'apps', name: 'demo' },
    );
    await failureOf(() => principals.source.fetch(identity, 'https://vault.azure.net'));

    const { values } = await metrics.certificates.get();
    t.match(values, [{ labels: { identity: 'apps/demo' } }]);
    t.ok((values[0]?.value ?? 0) > clock.now() / 1000, 'it lies ahead');
  },
);
