import t from 'tap';
import { azurePodIdentityExceptions } from '../../lib/kube/resources.ts';
import type { Pod } from '../../lib/model/pod.ts';
import { Exceptions } from '../../lib/policy/exceptions.ts';
import { documentsIn, type Manifest, podSpecOf, textOf, the } from './manifests.ts';
import { chart, withoutHelm } from './render.ts';

/** Whom the exceptions that come with an install let pass as the node, by the agent's own reading of them. */
function covering(...manifests: readonly Manifest[]): (namespace: string, labels: Pod['labels']) => boolean {
  const exceptions = new Exceptions();
  exceptions.replace(
    manifests
      .map((manifest) => azurePodIdentityExceptions.parse(manifest))
      .filter((one) => one !== undefined),
  );
  return (namespace, labels) => exceptions.covering({ namespace, labels } as Pod) !== undefined;
}

t.test('MIC’s exception covers MIC, and no pod that has one of its labels', async (t) => {
  const [exception] = documentsIn(textOf('exceptions/mic-exception.yaml')) as [Manifest];
  const covered = covering(exception);
  const { template } = the('Deployment', 'mic', documentsIn(textOf('components/mic/mic.yaml'))).spec ?? {};
  t.ok(covered('default', template?.metadata.labels ?? {}));
  for (const labels of [{ app: 'mic' }, { component: 'mic' }]) t.notOk(covered('default', labels));
  t.notOk(covered('shop', { app: 'mic', component: 'mic' }));
});

t.test('so does the chart’s', { skip: await withoutHelm() }, async (t) => {
  const { objects } = await chart({ values: { nameOverride: 'other' }, namespace: 'identity' });
  const covered = covering(the('AzurePodIdentityException', 'mic', objects));
  const mic = the('Deployment', 'other-mic', objects);
  t.ok(podSpecOf(mic));
  t.ok(covered('identity', mic.spec?.template.metadata.labels ?? {}));
  for (const labels of [{ 'app.kubernetes.io/component': 'mic' }, { 'app.kubernetes.io/name': 'other' }])
    t.notOk(covered('identity', labels as Pod['labels']));
});

t.test('that of AKS covers its add-ons in kube-system alone', async (t) => {
  const [exception] = documentsIn(textOf('exceptions/aks-exception.yaml')) as [Manifest];
  const covered = covering(exception);
  const labels = { 'kubernetes.azure.com/managedby': 'aks' };
  t.ok(covered('kube-system', labels));
  t.notOk(covered('default', labels));
  t.notOk(covered('kube-system', { 'kubernetes.azure.com/managedby': 'me' }));
});
