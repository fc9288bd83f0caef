import assert from 'node:assert/strict';
import { eventually } from '../../lab/eventually.ts';
import { sampleSystemIdentity } from '../../lab/imds/token.ts';
import { bind, unbind } from '../bindings.ts';
import { long } from '../patience.ts';
import type { Scenario } from '../stage.ts';
import {
  answeredBy,
  ask,
  assertToken,
  jobObject,
  namespace,
  removePods,
  startPod,
  tokenUrl,
} from '../workload.ts';

export const initContainer: Scenario = {
  name: 'an init container gets a token before the pod is ready',
  async run(stage) {
    const { kubectl } = stage;
    const [identity] = await bind(stage, 'init');
    await startPod(kubectl, 'init', { binding: 'init', first: [tokenUrl, '--tries=10'] });
    assertToken(answeredBy(await kubectl.get('pod', 'init', namespace), 'first'), identity);
    await removePods(kubectl, 'init');
    await unbind(stage, 'init');
  },
};

export const job: Scenario = {
  name: 'a Job gets its token and completes',
  async run(stage) {
    const { kubectl } = stage;
    const [identity] = await bind(stage, 'job');
    await kubectl.apply(jobObject('job', 'job', tokenUrl, '--tries=10'));
    const ended = await eventually(
      'the Job ends',
      async () => {
        const { succeeded, failed } = (await kubectl.get('job', 'job', namespace))?.status ?? {};
        return succeeded || failed ? { succeeded } : undefined;
      },
      long,
    );
    const [pod] = await kubectl.list('pods', '-n', namespace, '-l', 'job-name=job');
    assertToken(answeredBy(pod, 'app'), identity);
    assert.equal(ended.succeeded, 1);
    await kubectl.delete('job', 'job', '-n', namespace);
    await unbind(stage, 'job');
  },
};

export const hostNetwork: Scenario = {
  name: 'a hostNetwork pod reaches IMDS as the node, as without an agent',
  async run({ kubectl, imds }) {
    await startPod(kubectl, 'host', { hostNetwork: true, passes: true });
    assertToken(await ask(kubectl, 'host'), sampleSystemIdentity());
    const { requests } = await imds.log();
    assert.ok(
      requests.some(({ userAgent }) => userAgent.endsWith('/host')),
      'IMDS itself has heard it',
    );
    await removePods(kubectl, 'host');
  },
};

export const hostToken: Scenario = {
  name: 'a Key Vault driver gets a token for a pod of its node by /host/token, for no other',
  async run(stage) {
    const { kubectl, nodes } = stage;
    const [node] = nodes.names;
    const [vault] = await bind(stage, 'vault');
    await startPod(kubectl, 'vault', { binding: 'vault', node });
    await startPod(kubectl, 'driver', { hostNetwork: true, node, passes: true });
    const url = 'http://127.0.0.1:2579/host/token?resource=https://vault.azure.net';
    const about = (pod: string): string[] => [
      url,
      '--tries=10',
      `--header=podns=${namespace}`,
      `--header=podname=${pod}`,
    ];
    const answered = await ask(kubectl, 'driver', ...about('vault'));
    assertToken(answered, vault);
    assert.equal(answered.body.clientid, vault?.clientId);
    const stranger = await ask(
      kubectl,
      'driver',
      url,
      `--header=podns=${namespace}`,
      '--header=podname=no-pod',
    );
    assert.notEqual(stranger.status, 200);
    await removePods(kubectl, 'vault', 'driver');
    await unbind(stage, 'vault');
  },
};
