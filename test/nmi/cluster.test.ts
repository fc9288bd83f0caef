import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { Connection } from '../../lib/kube/connection.ts';
import type { Caller } from '../../lib/model/decision.ts';
import { type Cluster, clusterOf } from '../../lib/nmi/cluster.ts';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { FakeClock } from '../fakes/clock.ts';
import { MemoryLog } from '../kube/rig.ts';
import { eventually } from '../lab/eventually.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import { type KubeApi, startKubeApi } from '../lab/kube/server.ts';
import { bindingObject, identityObject, podObject } from '../lab/objects.ts';

/** Caches, directory and policy as the agent has them, against the API's stand-in, on a clock that stands still. */
const ip = '10.98.1.10';
const stranger = '10.98.1.99';
const pod = (name: string) =>
  podObject({ name, namespace: 'default', ip, hostNetwork: false }, { aadpodidbinding: name });

interface Scene {
  readonly api: KubeApi;
  readonly clock: FakeClock;
  readonly cluster: Cluster;
  readonly log: MemoryLog;
  /** The pod that has the address, or why there is none. */
  readonly who: (ip: string) => Promise<string>;
}

/** A cluster that knows the pod `first` at `ip`, bound to an identity. */
async function start(t: Test): Promise<Scene> {
  const api = await startKubeApi();
  t.teardown(() => api.close());
  const folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, api.kubeconfig('nmi-token'));
  api.put(pod('first'));
  api.put(identityObject('demo', 'default', sampleIdentity('demo')));
  for (const name of ['first', 'second']) api.put(bindingObject(name, 'default', 'demo', name));
  const clock = new FakeClock();
  const connection = new Connection({ source: { kind: 'kubeconfig', path }, userAgent: 'test', clock });
  const config = loadNmiConfig(['--node=node1', '--operation-mode=managed'], {});
  const log = new MemoryLog();
  const idle = { objectIdOf: () => undefined, onChange: () => undefined, bootedAt: undefined };
  const cluster = clusterOf({ config, connection, log, metrics: new NmiMetrics(), ...idle });
  const stop = new AbortController();
  const running = cluster.caches.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await Promise.all([running, connection.close()]);
  });
  await eventually('all is watched', () => isWatched(cluster) && api.counts().watches === 4);
  const who = async (ip: string): Promise<string> => nameOf(await cluster.directory.at(ip, patient));
  return { api, clock, cluster, log, who };
}

const patient = new AbortController().signal;

const isWatched = ({ caches }: Cluster): boolean => caches.synced && caches.isFresh('pods');
const nameOf = (caller: Caller): string => (caller.kind === 'pod' ? caller.pod.name : caller.kind);
const watchesOfPods = (api: KubeApi): number =>
  api.requests().filter(({ path }) => path.startsWith('/api/v1/pods?') && path.includes('watch=true')).length;

t.test('an IP that changes hands behind a silent watch is settled by a live look', async (t) => {
  const { api, clock, cluster, log, who } = await start(t);
  const looks = (): number => log.debugging.filter((line) => line === 'live pod list begins').length;
  await api.fault({ stall: true });
  api.remove('Pod', 'default', 'first');
  api.put(pod('second'));
  t.equal(await who(ip), 'first', 'the API server has not told yet');
  await clock.advance(100_000);
  await eventually('the silent watch is given up for another', () => watchesOfPods(api) === 2);
  t.equal(await who(ip), 'second', 'though its successor is open, it has told nothing either');
  t.equal(looks(), 1);
  await api.fault({ stall: false });
  await eventually('the watch has told', () => isWatched(cluster));
  t.equal(await who(ip), 'second');
  t.equal(looks(), 1, 'a watch that speaks is believed');
});

t.test('an hour without the API server: known pods are served, others refused, then it mends', async (t) => {
  const { api, clock, cluster, who } = await start(t);
  const decide = async (): Promise<string> => {
    const caller = await cluster.directory.at(ip, patient);
    return caller.kind === 'pod' ? cluster.policy.decide(caller.pod, { resource: 'r' }).kind : caller.kind;
  };
  await api.fault({ away: true });
  await eventually('the watch is gone', () => !isWatched(cluster));
  for (let minute = 1; minute <= 60; minute++) {
    await clock.advance(60_000);
    const asked = clock.monotonic();
    t.equal(await decide(), 'allow', `minute ${minute}`);
    t.equal(await who(stranger), 'unknown');
    t.equal(clock.monotonic(), asked, 'nobody waited');
    t.match(cluster.caches.problems().join('\n'), /^pods: .*(cannot be reached|nothing heard)/m);
  }
  t.ok(cluster.caches.synced, 'what was read stays read');

  api.remove('Pod', 'default', 'first');
  api.put(pod('second'));
  await api.fault({ away: false });
  await eventually('it has recovered by itself', async () => {
    await clock.advance(1_000);
    return isWatched(cluster) && cluster.caches.problems().length === 0;
  });
  t.equal(await who(ip), 'second');
  let strange = '';
  void who(stranger).then((name) => {
    strange = name;
  });
  await eventually('it has waited for its pod to be told of', async () => {
    await clock.advance(500);
    return strange !== '';
  });
  t.equal(strange, 'unknown');
});
