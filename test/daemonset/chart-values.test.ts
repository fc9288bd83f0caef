import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { daemonset, textOf, textsIn } from './manifests.ts';
import { chart, withoutHelm } from './render.ts';

/** Values that nobody should give, and what the chart makes of them. */
const skip = await withoutHelm();
const identity = { clientID: 'c', resourceID: 'r', binding: { selector: 'demo' } };
const secret = { ...identity, type: 1, tenantID: 't' };

const refused: Readonly<Record<string, object>> = {
  '/nameOverride': { nameOverride: 'a\n  evil: b' },
  '/nmi/kubeletConfig': { nmi: { kubeletConfig: '/etc/default/kubelet\n            type: Directory' } },
  '/mic/cloudConfig': { mic: { cloudConfig: '/etc/../{{ .Values }}' } },
  '/mic/customCloud/configPath': { mic: { customCloud: { configPath: 'etc/cloud.json' } } },
  '/mic/extraArgs/0': { mic: { extraArgs: ['--unassign-grace=5s\n          env: []'] } },
  '/image/repository': { image: { repository: 'registry.example.com/a b' } },
  '/nmi/tag': { nmi: { tag: 'v2 #' } },
  '/mic/podLabels/tier': { mic: { podLabels: { tier: 1 } } },
  '/mic/replicas': { mic: { replicas: 'two' } },
  '/mic/leaderElection/duration': { mic: { leaderElection: { duration: 'soon' } } },
  '/rbac/secretNamespaces/0': { rbac: { secretNamespaces: ['*'] } },
  '/azureIdentities/demo/clientID': { azureIdentities: { demo: { ...identity, clientID: 5 } } },
  "missing property 'nmi'": { nmi: null },
  "'/mic': missing property 'leaderElection'": { mic: { leaderElection: null } },
  'azureIdentities.demo.clientPassword is no reference to a Secret': {
    azureIdentities: { demo: { ...secret, clientPassword: 'name: [' } },
  },
};

t.test(
  'a value that is ill-typed, or would write YAML of its own, is refused by its name',
  { skip },
  async (t) => {
    for (const [name, values] of Object.entries(refused)) {
      const { refusal } = await chart({ values });
      t.ok(refusal.includes(name), `${name}: ${refusal.split('\n').at(-2)}`);
    }
  },
);

t.test('a text that YAML would take for something else stays a text', { skip }, async (t) => {
  const { objects, refusal } = await chart({
    values: {
      ...{ nameOverride: 'null', fullnameOverride: '5e3' },
      nmi: { priorityClassName: '1e3', micNamespace: '0x10', kubeletConfig: '/1' },
      mic: { priorityClassName: '2e3', leaderElection: { namespace: '007', name: '4e4' } },
      rbac: { secretNamespaces: ['12'], createUserFacingClusterRoles: true },
      azureIdentities: {
        1: { ...secret, name: '2', namespace: '3', clientPassword: { name: '4', namespace: '5' } },
      },
    },
  });
  t.equal(refusal, '');
  for (const { kind, metadata } of objects) {
    const { name, namespace = '', labels = {} } = metadata;
    const texts = [name, namespace, ...Object.values(labels)];
    t.same(
      texts.filter((text) => typeof text !== 'string'),
      [],
      kind,
    );
  }
  const all = new Set(textsIn(objects));
  for (const text of ['1e3', '2e3', '007', '4e4', '12', '2', '3', '4', '5', '--MICNamespace=0x10', '/1'])
    t.ok(all.has(text), text);
});

t.test('no template writes a value that is not quoted, but for numbers and booleans', async (t) => {
  const templates = readdirSync(join(daemonset, 'chart/templates')).filter((name) => name !== 'NOTES.txt');
  const numbers =
    /(replicas|type|containerPort|runAs(NonRoot|User|Group)|privileged|allowPrivilegeEscalation): \{\{/;
  const written = templates.flatMap((name) =>
    textOf(`chart/templates/${name}`)
      .split('\n')
      .filter((line) => /(: |- |\[)\{\{ /.test(line) && !numbers.test(line))
      .map((line) => `${name}: ${line.trim()}`),
  );
  t.ok(written.length > 50, `${written.length} lines`);
  t.same(
    written.filter((line) => !/quote|toJson|pod-identity\.reference/.test(line)),
    [],
  );
});
