import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../../lab/eventually.ts';
import { assignmentOf, holdersOf } from '../assigned.ts';
import { azureIdentity } from '../bindings.ts';
import { long } from '../patience.ts';
import { run } from '../run.ts';
import type { Scenario } from '../stage.ts';
import { ask, assertToken, namespace, removePods, startPod, tokenUrl } from '../workload.ts';

const program = join(import.meta.dirname, '../../../bin/podid');
const podid = (...args: readonly string[]): Promise<string> =>
  run([program, ...args], { timeoutMs: 180_000 });

/** What docs/quick-start.md has its readers run against the cluster, from the identity on. */
export const quickStart: Scenario = {
  name: "the quick start's commands: podid add, explain --wait, status and delete, around a pod with a token",
  async run(stage) {
    const { kubectl, arm, nodes } = stage;
    const identity = azureIdentity('quick');
    await arm.createIdentities(identity);
    const ids = ['--identity-resource-id', identity.resourceId, '--client-id', identity.clientId];
    await podid('add', '-n', namespace, '--name', 'quick', ...ids);
    await startPod(kubectl, 'quick', { binding: 'quick' });
    await podid('explain', 'pod/quick', '-n', namespace, '--wait');
    assertToken(await ask(kubectl, 'quick', tokenUrl), identity);
    const status = await podid('status', '-o', 'json');
    for (const node of nodes.names) assert.ok(status.includes(`"${node}"`), status);
    await removePods(kubectl, 'quick');
    await podid('delete', '-n', namespace, '--name', 'quick');
    await eventually('its assignment is gone', async () => !(await assignmentOf(stage, 'quick')), long);
    assert.equal(await holdersOf(stage, 'quick'), 0);
  },
};
