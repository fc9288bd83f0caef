import t from 'tap';
import { sampleSystemIdentity } from '../imds/token.ts';
import { createLab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { ask } from './scene.ts';

t.test(
  "an add-on of AKS's gets the node's own token where the agent is told to, and none where it is not",
  { skip: unavailable() ?? false },
  async (t) => {
    const labels = { 'kubernetes.azure.com/managedby': 'aks' };
    const lab = await createLab({
      pods: [
        { name: 'addon', namespace: 'kube-system', labels },
        { name: 'plain', labels },
      ],
    });
    t.teardown(() => lab.down());
    const strict = lab.startAgent();
    await strict.ready();
    t.equal((await ask(lab, 'addon')).status, 400);
    await strict.stop();
    await lab.startAgent({ flags: { 'aks-addon-exception': true } }).ready();
    const { status, body } = await ask(lab, 'addon');
    t.equal(status, 200);
    t.equal(body.client_id, sampleSystemIdentity().clientId);
    t.equal((await ask(lab, 'plain')).status, 400, 'the label counts in kube-system alone');
  },
);
