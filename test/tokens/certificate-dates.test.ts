import t from 'tap';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { CertificateDates } from '../../lib/tokens/certificate-dates.ts';
import { ServicePrincipalSource } from '../../lib/tokens/service-principal.ts';
import { FakeClock } from '../fakes/clock.ts';
import { failureOf } from '../fakes/failure.ts';
import { issue, pfxOf } from '../lab/entra/issued.ts';
import { aPrincipal } from './principals.ts';

const hour = 3_600_000;

function bench() {
  const clock = new FakeClock();
  const metrics = new NmiMetrics();
  const dates = new CertificateDates(clock, metrics);
  const told = async (): Promise<Record<string, number>> => {
    const { values } = await metrics.certificates.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.identity), value]));
  };
  return { clock, dates, told };
}

t.test('tells the end of each certificate, and of a new one in its place', async (t) => {
  const { dates, told } = bench();
  dates.note({ namespace: 'apps', name: 'demo' }, 100);
  dates.note({ namespace: 'shop', name: 'demo' }, 200);
  dates.note({ namespace: 'apps', name: 'demo' }, 300);
  t.same(await told(), { 'apps/demo': 300, 'shop/demo': 200 });
});

t.test('forgets what was not used for two days, and nothing that was', async (t) => {
  const { clock, dates, told } = bench();
  dates.note({ namespace: 'apps', name: 'daily' }, 100);
  dates.note({ namespace: 'apps', name: 'deleted' }, 100);
  await clock.advance(24 * hour);
  dates.note({ namespace: 'apps', name: 'daily' }, 100);
  await clock.advance(25 * hour);
  t.same(Object.keys(await told()), ['apps/daily']);
});

t.test('holds no more than 256 names, however many somebody makes', async (t) => {
  const { clock, dates, told } = bench();
  for (let i = 0; i < 300; i++) dates.note({ namespace: 'apps', name: `a${i}` }, i);
  const names = Object.keys(await told());
  t.equal(names.length, 256);
  t.notOk(names.includes('apps/a43'), 'the oldest went');
  t.ok(names.includes('apps/a44'));
  t.equal(clock.waiting, 256, 'and its timer with it');
});

t.test('a fetch tells the end of its certificate, also when Entra ID refuses it', async (t) => {
  const own = issue('app');
  const noted: [string, number][] = [];
  const source = new ServicePrincipalSource({
    ...{ clock: new FakeClock(), crossNamespaceSecrets: false, allowedHosts: [] },
    readSecret: async () => ({
      kind: 'found',
      data: new Map([['certificate', pfxOf(own.key, [own.cert], '')]]),
    }),
    acquire: async () => Promise.reject(new Error('expired')),
    onCertificate: ({ name }, expiresOn) => noted.push([name, expiresOn]),
  });
  await failureOf(() => source.fetch(aPrincipal({}, { type: 2 }), 'https://vault.azure.net'));
  const [[name, expiresOn] = ['', 0]] = noted;
  const days = (expiresOn - Date.now() / 1000) / 86_400;
  t.equal(name, 'demo');
  t.ok(days > 364 && days <= 365, `ends in ${days} days`);
});
