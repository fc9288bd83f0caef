import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stoppedAt } from '../../lib/cli/explain/walk.ts';
import { verbs } from '../../lib/cli/verbs.ts';
import { loadNmiConfig } from '../../lib/config/load.ts';
import type { Decision } from '../../lib/model/decision.ts';
import { clusterOf } from '../../lib/nmi/cluster.ts';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { MemoryLog } from '../kube/rig.ts';
import { asked } from './explaining.ts';
import { type Case, type Cases, delays, denials } from './refusals.ts';
import { type CliRig, cliRig } from './rig.ts';
import { put } from './scene.ts';

interface Told {
  readonly decision: { readonly kind: string; readonly code?: string };
  readonly steps: readonly { readonly step: string; readonly mend: readonly string[] }[];
}

async function sceneOf(t: Test, { cluster }: Case): Promise<CliRig> {
  const rig = await cliRig(t);
  put(rig.api, cluster);
  return rig;
}

/** What podid says of every refusal that there is. */
function told(reasons: Cases<string>, status: number, kind: string): void {
  for (const [code, cases] of Object.entries(reasons)) {
    t.test(`explains ${code} as the agent decides it, with what mends it and status ${status}`, async (t) => {
      t.ok(cases.length > 0, 'a reason without a case would show nothing');
      for (const each of cases) {
        const { podid, json, connection } = await sceneOf(t, each);
        const command = [...asked, ...(each.args ?? [])];
        const called = await podid(command);
        t.match(called, { status, stderr: '' });
        hasStep(t, called.stdout, each);
        const { decision, steps } = (await json(command)) as Told;
        t.same(decision, { kind, code });
        const same = await agentsDecision(t, connection('nmi-token'), each);
        t.same(decision, same, 'as the agent decides that stands before the same cluster');
        const stopped = steps.find(({ step }) => step === stoppedAt[code as keyof typeof stoppedAt]);
        t.same(stopped?.mend, each.mend);
      }
    });
  }
}

/** The line of the step, and its commands under it. */
function hasStep(t: Test, stdout: string, { line, mend }: Case): void {
  const lines = stdout.split('\n');
  const at = lines.findIndex((each) => each.startsWith(line));
  t.ok(at > 0, `${line} in\n${stdout}`);
  const below = lines.slice(at + 1);
  const others = below.findIndex((each) => !each.startsWith(' '.repeat(13)));
  t.same(
    below.slice(0, others).map((each) => each.trim()),
    mend,
  );
}

told(denials, 3, 'deny');
told(delays, 4, 'wait');

t.test('tells the command that adds the label once', async (t) => {
  const [first] = denials['no-label'];
  if (!first) throw new Error('no case');
  const { podid } = await sceneOf(t, first);
  t.equal((await podid(asked)).stdout.match(/kubectl label pod/g)?.length, 1);
});

t.test('what it tells people to run is there: verbs with their flags, and overlays', async (t) => {
  const mends = [...Object.values(denials), ...Object.values(delays)].flat().flatMap(({ mend }) => mend);
  const calls = mends.filter((line) => line.startsWith('podid '));
  t.ok(calls.length > 0);
  for (const line of calls) {
    const verb = verbs.find(({ name }) => line.startsWith(`podid ${name} `));
    const known = Object.values(verb?.flags ?? {}).map(({ flag }) => `--${flag}`);
    const used = line.match(/ --[a-z-]+/g)?.map((flag) => flag.trim()) ?? [];
    t.same(
      used.filter((flag) => !known.includes(flag)),
      [],
      line,
    );
  }
  const overlays = new Set(mends.flatMap((line) => /^kubectl apply -k (\S+)/.exec(line)?.[1] ?? []));
  for (const path of overlays) t.ok(existsSync(join(import.meta.dirname, '../..', path)), path);
});

/** Of the agent itself, with the flags of its pod there. */
async function agentsDecision(
  t: Test,
  connection: ReturnType<CliRig['connection']>,
  { cluster, args = [] }: Case,
): Promise<Told['decision']> {
  const config = loadNmiConfig(['--node=node1', ...argsIn(cluster)], {});
  const idle = { objectIdOf: () => undefined, onChange: () => undefined, bootedAt: undefined };
  const { caches, index, policy } = clusterOf({
    ...{ config, connection, log: new MemoryLog(), metrics: new NmiMetrics() },
    ...idle,
  });
  const stop = new AbortController();
  const running = caches.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  await caches.whenSynced(30_000, stop.signal);
  const pod = index.get('apps/web');
  if (!pod) throw new Error('the agent knows no pod apps/web');
  const [, by, value = ''] = /^--(client|resource)-id=(.*)$/.exec(args[0] ?? '') ?? [];
  const resource = 'https://management.azure.com/';
  const selector = { by: by === 'client' ? 'client_id' : 'resource_id', value } as const;
  return brief(policy.decide(pod, by === undefined ? { resource } : { resource, selector }));
}

function argsIn(cluster: Case['cluster']): readonly string[] {
  const agent = cluster.find(({ metadata }) => metadata.name === 'nmi-node1');
  const [container] = (agent?.spec?.containers ?? []) as readonly { readonly args?: readonly string[] }[];
  return container?.args?.slice(2) ?? [];
}

function brief(decision: Decision): Told['decision'] {
  return 'why' in decision ? { kind: decision.kind, code: decision.why.code } : { kind: decision.kind };
}
