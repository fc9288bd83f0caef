import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtAgent } from '../../bench/built.ts';
import { type Cgroup, cgroup, withoutCgroups } from '../../lab/cgroup.ts';
import { eventually } from '../../lab/eventually.ts';
import { sampleIdentity } from '../../lab/imds/token.ts';
import { unavailable } from '../../lab/namespaces.ts';
import { coldScene, pods } from '../../lab/nmi/cold-scene.ts';
import { long } from '../patience.ts';
import type { Scenario } from '../stage.ts';
import { tokenUrl } from '../workload.ts';

/** The original's limit of CPU, which the manifests do not set and a chart's values may, and the manifests' one of memory. */
const limits = { cpuMilli: 200, memoryBytes: 512 * 1024 * 1024 };
/** After so long the least patient SDK has no answer, ms; it tries four times. */
const patienceMs = 10_000;

/** Why it cannot be tried here; it takes a node of its own on this machine, since no node of a cluster holds 200 pods. */
export const withoutColdStart = (): string | undefined => unavailable() ?? withoutCgroups();

export const coldStart: Scenario = {
  name: '200 pods start cold, the agent has 0.2 cores and 512 MB: each gets its token in the tries that its SDK has',
  async run() {
    const group = cgroup('pod-identity-e2e', limits);
    const built = await builtAgent();
    try {
      const program = join(built.folder, 'limited');
      const [{ lab, agent, start }] = await Promise.all([
        coldScene({ program: waiting(program, built.program), patienceMs }),
        limited(program, group),
      ]);
      try {
        const started = await start(tokenUrl);
        assert.deepEqual(
          started.map(({ appid }) => appid),
          pods.map(({ name }) => sampleIdentity(name).clientId),
        );
        assert.ok(group.throttled() > 0, 'the limit was felt');
        assert.equal(agent.ended(), undefined, 'the agent runs on');
        tell(started, group.peak());
      } finally {
        lab.down();
      }
    } finally {
      await eventually('the group is empty', () => removed(group.remove));
      built.remove();
    }
  },
};

/** A launcher that lets nothing run before it is in the group; the node's own file system has no cgroups. */
function waiting(path: string, program: string): string {
  const lines = [
    `echo $$ >${path}.new && mv ${path}.new ${path}.pid`,
    `until [ -e ${path}.go ]; do sleep 0.1; done`,
  ];
  writeFileSync(path, `#!/bin/sh\n${lines.join('\n')}\nexec ${program} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

async function limited(path: string, { add }: Cgroup): Promise<void> {
  await eventually('the launcher waits', () => existsSync(`${path}.pid`), long);
  add(readFileSync(`${path}.pid`, 'utf8').trim());
  writeFileSync(`${path}.go`, '');
}

function removed(remove: () => void): boolean {
  try {
    remove();
    return true;
  } catch {
    return false;
  }
}

function tell(
  started: readonly { readonly tries: number; readonly longestMs: number }[],
  peak: number,
): void {
  const longest = Math.max(...started.map(({ longestMs }) => longestMs)) / 1_000;
  const tries = Math.max(...started.map(({ tries }) => tries));
  const memory = Math.round(peak / 1024 / 1024);
  console.log(
    `       longest wait ${longest.toFixed(1)} s, most tries ${tries}, memory at most ${memory} MB`,
  );
}
