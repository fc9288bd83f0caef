import { podKey } from '../../model/pod.ts';
import { isOriginals } from '../agents/agent.ts';
import type { Controller, Facts } from './facts.ts';
import { type Finding, judge, listed, together, type Verdict } from './finding.ts';

/** On what AKS puts into a cluster and keeps as it is. */
export const managedBy = 'kubernetes.azure.com/managedby';
const mode = 'addonmanager.kubernetes.io/mode';

/** Whether these are the labels of something of AKS's. */
export function isAddOns(labels: Readonly<Record<string, string>>): boolean {
  return labels[managedBy] === 'aks' || labels[mode] !== undefined;
}

/** Whether this is NMI or MIC as AKS's add-on brings them. Anybody may put such labels and images on his own; not there. */
export function isAddOn({ namespace, labels, images }: Controller): boolean {
  return namespace === 'kube-system' && isAddOns(labels) && images.some(isOriginals);
}

/** What was made by `az aks pod-identity`: AKS takes it away with the add-on, and the pods lose their identities. */
export function checkAddOn({ identities, bindings, exceptions, daemonSets, mode }: Facts): Verdict {
  return together(
    judge({ identities, bindings, exceptions, daemonSets }, (read) =>
      read.daemonSets.some(isAddOn) ? made(read) : [],
    ),
    judge({ exceptions, daemonSets, mode }, (read) => {
      const there =
        read.mode.settings.aksAddonException ||
        read.exceptions.some(
          ({ namespace, podLabels }) => namespace === 'kube-system' && podLabels[managedBy] === 'aks',
        );
      const isAks = read.daemonSets.some(
        ({ namespace, labels }) => namespace === 'kube-system' && labels[managedBy] === 'aks',
      );
      return isAks && !there ? [noException] : [];
    }),
  );
}

type Named = { readonly namespace: string; readonly name: string; readonly addOn: boolean };

function made(
  read: Readonly<Record<'identities' | 'bindings' | 'exceptions', readonly Named[]>>,
): readonly Finding[] {
  const { identities, bindings, exceptions } = read;
  const own = [...identities, ...bindings, ...exceptions].filter(({ addOn }) => addOn);
  if (own.length === 0) return [];
  const kinds = 'azureidentities,azureidentitybindings,azurepodidentityexceptions';
  return [
    {
      severity: 'warning',
      what: `AKS's add-on made ${listed(own.map(podKey))}`,
      why: 'AKS keeps them as it has them, and takes them away with the add-on: keep a copy first, and make them anew by podid add',
      mend: [`kubectl get ${kinds} -A -l '${managedBy}=aks' -o yaml > add-on.yaml`, 'podid list -A'],
    },
  ];
}

const noException: Finding = {
  severity: 'warning',
  what: 'This is AKS, and no AzurePodIdentityException in kube-system, nor --aks-addon-exception of the agents, excepts its add-ons',
  why: "Add-ons that use the node's identity (monitoring, policy, ingress) get no token",
  mend: [
    `podid exception add --namespace=kube-system --name=aks-addon-exception --pod-labels=${managedBy}=aks`,
  ],
};
