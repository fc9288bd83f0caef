import assert from 'node:assert/strict';
import { sampleSystemIdentity } from '../../lab/imds/token.ts';
import { passedBy } from '../passing.ts';
import type { Scenario } from '../stage.ts';
import { ask, assertToken, removePods, startPod } from '../workload.ts';

/** The control experiment: what every other scenario excludes can happen here, and would be seen. */
export const withoutAgent: Scenario = {
  name: "without an agent a pod gets the node's own token, and IMDS's log names it",
  decisive: true,
  async run({ kubectl, imds }) {
    await startPod(kubectl, 'free');
    assertToken(await ask(kubectl, 'free'), sampleSystemIdentity());
    const [passed, ...more] = passedBy((await imds.log()).requests);
    assert.match(passed ?? '', /^e2e-pod\/free passed by/);
    assert.deepEqual(more, []);
    await imds.clear();
    await removePods(kubectl, 'free');
  },
};
