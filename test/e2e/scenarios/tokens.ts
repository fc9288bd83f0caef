import assert from 'node:assert/strict';
import { sampleSystemIdentity } from '../../lab/imds/token.ts';
import { exceptionObject } from '../../lab/objects.ts';
import { azureIdentity, bind, pair, unbind } from '../bindings.ts';
import type { Scenario } from '../stage.ts';
import { ask, assertToken, namespace, removePods, startPod, tokenUrl } from '../workload.ts';

const byClient = (name: string): string => `${tokenUrl}&client_id=${azureIdentity(name).clientId}`;

export const token: Scenario = {
  name: 'a pod on each node gets the token of its identity, in managed mode',
  async run(stage) {
    const { kubectl, nodes } = stage;
    const [cart] = await bind(stage, 'cart');
    const pods = nodes.names.map((node) => ({ node, name: `cart-${node}` }));
    for (const { node, name } of pods) {
      await startPod(kubectl, name, { binding: 'cart', node });
      const answered = await ask(kubectl, name, tokenUrl, '--tries=10');
      assertToken(answered, cart);
      assert.equal(answered.body.resource, 'https://vault.azure.net');
    }
    await removePods(kubectl, ...pods.map(({ name }) => name));
    await unbind(stage, 'cart');
  },
};

export const refusals: Scenario = {
  name: "no token for a pod without a binding, nor for another's identity; no way past the token path",
  async run(stage) {
    const { kubectl } = stage;
    const [, theirs] = await bind(stage, 'mine', 'theirs');
    await startPod(kubectl, 'mine', { binding: 'mine' });
    await startPod(kubectl, 'plain');
    const plain = await ask(kubectl, 'plain');
    assert.equal(plain.status, 400);
    assert.match(String(plain.body.error_description), /^Identity not found/);
    const { status } = await ask(kubectl, 'mine', byClient('theirs'));
    assert.equal(status, 400, `asked for ${theirs?.clientId}`);
    const info = 'http://169.254.169.254/metadata/identity/info?api-version=2018-02-01';
    assert.equal((await ask(kubectl, 'mine', info)).status, 404);
    await removePods(kubectl, 'mine', 'plain');
    await unbind(stage, 'mine', 'theirs');
  },
};

export const several: Scenario = {
  name: 'with several identities the pod gets the one that it names, and always the same without a name',
  async run(stage) {
    const { kubectl, imds } = stage;
    const [blue, green] = ['blue', 'green'].map(azureIdentity);
    await imds.assign(...[blue, green].filter((one) => one !== undefined));
    await kubectl.apply(...pair('blue', 'both'), ...pair('green', 'both'));
    await startPod(kubectl, 'both', { binding: 'both' });
    assertToken(await ask(kubectl, 'both', byClient('green'), '--tries=10'), green);
    assertToken(await ask(kubectl, 'both', byClient('blue'), '--tries=10'), blue);
    const byResource = `${tokenUrl}&msi_res_id=${green?.resourceId}`;
    assertToken(await ask(kubectl, 'both', byResource), green);
    assertToken(await ask(kubectl, 'both'), blue);
    await removePods(kubectl, 'both');
    await unbind(stage, 'blue', 'green');
  },
};

export const excepted: Scenario = {
  name: "an excepted pod gets what the node gets, by the agent's hand",
  async run(stage) {
    const { kubectl } = stage;
    const labels = { app: 'addon' };
    await kubectl.apply(exceptionObject('addon', namespace, labels));
    await startPod(kubectl, 'addon', { labels, passes: true });
    const answered = await ask(kubectl, 'addon', tokenUrl, '--tries=10');
    assertToken(answered, sampleSystemIdentity());
    assert.ok(answered.headers['x-ms-request-id'], 'the answer has the request id that the agent gives');
    await removePods(kubectl, 'addon');
    await kubectl.delete('azurepodidentityexception', 'addon', '-n', namespace);
  },
};
