import type { DenyReason, NamespaceRule, WaitReason } from '../../lib/model/decision.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { bindingObject } from '../lab/objects.ts';
import {
  aMic,
  anAgent,
  anAssignment,
  binding,
  identity,
  managed,
  plainPod,
  resourceId,
  standard,
  web,
  withSpec,
} from './scene.ts';

/** A cluster in which the agent refuses, and what podid makes of it. */
export interface Case {
  readonly cluster: readonly KubeInput[];
  readonly args?: readonly string[];
  /** The step's line, from its sign on. */
  readonly line: string;
  /** The commands under it. */
  readonly mend: readonly string[];
}

export type Cases<Code extends string> = { readonly [Name in Code]: readonly Case[] };

const labelSelectors = 'kubectl label pod web -n apps --overwrite aadpodidbinding=web';
const addWeb =
  'podid add --namespace=apps --name=web --identity-resource-id=RESOURCE_ID --client-id=CLIENT_ID --binding-selector=web';
const micLog = 'kubectl logs mic-0 -n kube-system --tail=50';
const apart = anAgent('node1', ['--forceNamespaced']);
const foreignBinding = bindingObject('demo-binding', 'shared', 'demo', 'web');

/** An assignment of `shared/demo` to `apps/web`, as MIC made it before the rule. */
function foreignAssignment(metadata: object = {}, spec: object = {}): KubeInput {
  const object = anAssignment('Assigned', spec as never);
  const ref = (object.spec?.azureIdentityRef ?? {}) as { metadata: object };
  const azureBindingRef = {
    metadata: { name: 'demo-binding', namespace: 'shared' },
    spec: foreignBinding.spec,
  };
  const azureIdentityRef = { ...ref, metadata: { ...ref.metadata, namespace: 'shared', ...metadata } };
  return withSpec(object, { azureIdentityRef, azureBindingRef } as never);
}

/** Every denial that there is: a new one does not compile before it stands here. */
export const denials: Cases<DenyReason['code']> = {
  'no-label': [
    {
      cluster: [managed, plainPod, binding, identity],
      line: '✗ label      Pod apps/web has no label aadpodidbinding, and no AzureIdentityBinding selects it otherwise.',
      mend: [labelSelectors],
    },
    {
      cluster: [standard, plainPod],
      line: '✗ label      Pod apps/web has no label aadpodidbinding',
      mend: [addWeb, labelSelectors],
    },
  ],
  'no-binding': [
    {
      cluster: [managed, web, identity],
      line: '✗ binding    Pod apps/web has the label aadpodidbinding=web, but no AzureIdentityBinding in namespace apps has that selector.',
      mend: [addWeb],
    },
  ],
  'not-bound': [
    {
      cluster: [managed, web, binding, identity],
      args: ['--client-id=feed'],
      line: '✗ identity   Pod apps/web is bound to no identity with client_id feed.',
      mend: ['podid explain pod/web -n apps --client-id=c0ffee00-0000-4000-8000-00000000000a', addWeb],
    },
    {
      cluster: [managed, web, binding, identity],
      args: [`--resource-id=${resourceId}s; rm -rf /`],
      line: '✗ identity   Pod apps/web is bound to no identity with resource_id',
      mend: [
        'podid explain pod/web -n apps --client-id=c0ffee00-0000-4000-8000-00000000000a',
        addWeb.replace('RESOURCE_ID', `'${resourceId}s; rm -rf /'`),
      ],
    },
  ],
  'other-namespace': [
    ...Object.values({
      mode: {
        cluster: [apart, web, foreignAssignment()],
        line: '✗ identity   Pod apps/web may not have AzureIdentity shared/demo: the agent runs namespaced (--forceNamespaced)',
        mend: [addWeb.replace('--name=web', '--name=demo')],
      },
      annotation: {
        cluster: [
          ...[standard, web, foreignBinding],
          foreignAssignment({ annotations: { 'aadpodidentity.k8s.io/Behavior': 'namespaced' } }),
        ],
        line: '✗ identity   Pod apps/web may not have AzureIdentity shared/demo: it has the annotation',
        mend: ['kubectl annotate azureidentity demo -n shared aadpodidentity.k8s.io/Behavior-'],
      },
      allowedNamespaces: {
        cluster: [standard, web, foreignBinding, foreignAssignment({}, { allowedNamespaces: ['shared'] })],
        line: '✗ identity   Pod apps/web may not have AzureIdentity shared/demo: add the namespace of the pod',
        mend: [
          `kubectl patch azureidentity demo -n shared --type=json -p='[{"op":"add","path":"/spec/allowedNamespaces/-","value":"apps"}]'`,
        ],
      },
    } satisfies Record<NamespaceRule, Case>),
  ],
  'no-client-id': [
    {
      cluster: [managed, web, binding, withSpec(identity, { clientID: '' })],
      line: '✗ identity   AzureIdentity apps/demo has no spec.clientID',
      mend: [
        `az identity show --ids=${resourceId} --query=clientId --output=tsv`,
        `kubectl patch azureidentity demo -n apps --type=merge -p='{"spec":{"clientID":"CLIENT_ID"}}'`,
      ],
    },
  ],
};

/** Every wait that there is. */
export const delays: Cases<WaitReason['code']> = {
  'identity-missing': [
    {
      cluster: [managed, web, binding],
      line: '… identity   Pod apps/web is bound by AzureIdentityBinding demo-binding to AzureIdentity demo, which does not exist in namespace apps.',
      mend: ['kubectl get azureidentities -n apps', addWeb.replace('--name=web', '--name=demo')],
    },
  ],
  'assignment-missing': [
    {
      cluster: [standard, aMic(), web, foreignBinding],
      line: '… assignment AzureIdentityBinding demo-binding selects apps/web, but MIC has not made the assignment yet.',
      mend: [micLog],
    },
    {
      cluster: [standard, aMic(), web, binding, identity],
      line: '… assignment AzureIdentityBinding demo-binding selects apps/web, but MIC has not made the assignment yet.',
      mend: [micLog],
    },
    {
      cluster: [standard, web, binding, identity],
      line: "… assignment AzureIdentityBinding demo-binding selects apps/web, but MIC has not made the assignment yet. If this lasts, see MIC's log. No pod of MIC is there.",
      mend: ['kubectl apply -k daemonset/overlays/standard'],
    },
  ],
  'not-assigned': [
    {
      cluster: [standard, aMic(), web, binding, identity, anAssignment('Created')],
      line: '… assignment AzureIdentity demo is being assigned to the machine of apps/web',
      mend: ['kubectl describe azureidentity demo -n apps', micLog],
    },
  ],
  'binding-missing': [
    {
      cluster: [apart, web, foreignBinding],
      line: '… binding    Pod apps/web has the label aadpodidbinding=web, but no AzureIdentityBinding has that selector yet.',
      mend: [addWeb],
    },
    {
      cluster: [standard, aMic(), web],
      line: '… binding    Pod apps/web has the label aadpodidbinding=web, but no AzureIdentityBinding has that selector yet.',
      mend: [addWeb],
    },
  ],
};
