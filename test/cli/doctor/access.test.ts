import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadYaml } from '@kubernetes/client-node';
import t from 'tap';
import { whoCan } from '../../../lib/cli/doctor/access.ts';
import { agentNeeds, micNeeds, type Need } from '../../../lib/cli/doctor/needs.ts';
import type { AzureIdentity } from '../../../lib/model/identity.ts';
import { found, identity, says, told } from './scene.ts';

const daemonset = join(import.meta.dirname, '../../../daemonset');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** The rules of all ClusterRoles and Roles in a manifest. */
function rulesIn(file: string): readonly Rule[] {
  const documents = readFileSync(join(daemonset, file), 'utf8').split(/^---$/m);
  return documents.flatMap((text) => loadYaml<{ rules?: Rule[] }>(text)?.rules ?? []);
}

function grants(rules: readonly Rule[], { verb, group, resource, name }: Need): boolean {
  return rules.some(
    (rule) =>
      rule.verbs.includes(verb) &&
      rule.apiGroups.includes(group) &&
      rule.resources.includes(resource) &&
      (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name))),
  );
}

const principal = {
  ...identity(),
  type: 1,
  servicePrincipal: {
    ...{ tenantId: 't', adEndpoint: '', auxiliaryTenantIds: [] },
    secret: { namespace: 'shop', name: 'password' },
  },
};
const lease = { namespace: 'default', name: 'aad-pod-identity-mic' };
const account = { namespace: 'kube-system', name: 'nmi' };

function kind(managed: boolean, principals: readonly AzureIdentity[]) {
  return { namespace: 'kube-system', daemonSet: 'nmi', managed, principals };
}

t.test('asks for no right that the shipped roles do not grant', async (t) => {
  // What the components of standard and of managed mode add to it.
  const mode = ['azureassignedidentities', 'azureidentities'].map((resource) => ({
    ...{ apiGroups: ['aadpodidentity.k8s.io'], resources: [resource], verbs: ['list', 'watch'] },
  }));
  const nmi = [...rulesIn('base/nmi-rbac.yaml'), ...mode];
  for (const managed of [false, true])
    for (const need of agentNeeds(kind(managed, [])))
      t.ok(grants(nmi, need), `NMI: ${need.verb} ${need.resource}`);
  const reads = (managed: boolean, resource: string): boolean =>
    agentNeeds(kind(managed, [])).some((need) => need.resource === resource);
  t.ok(reads(true, 'azureidentities') && !reads(true, 'azureassignedidentities'));
  t.ok(reads(false, 'azureassignedidentities') && !reads(false, 'azureidentities'));
  for (const need of micNeeds(lease))
    t.ok(grants(rulesIn('components/mic/mic-rbac.yaml'), need), `MIC: ${need.verb} ${need.resource}`);
});

t.test('asks for Secrets where identities name them, and only for those', async (t) => {
  const secrets = (needs: readonly Need[]) => needs.filter(({ resource }) => resource === 'secrets');
  t.same(secrets(agentNeeds(kind(false, []))), []);
  t.match(secrets(agentNeeds(kind(false, [principal]))), [
    { verb: 'get', namespace: 'shop', name: 'password', severity: 'error' },
  ]);
});

t.test('tells what is missing, what it does, and how to ask again', async (t) => {
  const needs = agentNeeds(kind(false, [principal]));
  const missing = needs.filter(
    ({ resource }) => resource === 'azureassignedidentities' || resource === 'secrets',
  );
  const denied = missing.map((need) => ({ program: 'NMI' as const, account, need, allowed: false }));
  const access = told(...denied);
  says(t, found('rights', { access }), [
    /^error ServiceAccount kube-system\/nmi of NMI may not: list azureassignedidentities and watch/,
    /^error .*get secrets password in namespace shop/,
  ]);
  t.same(found('rights', { access: told(...denied.map((each) => ({ ...each, allowed: true }))) }), []);
  const [first] = denied;
  const asked = 'kubectl auth can-i list azureassignedidentities.aadpodidentity.k8s.io -A';
  t.equal(first && whoCan(first), `${asked} --as=system:serviceaccount:kube-system:nmi`);
});
