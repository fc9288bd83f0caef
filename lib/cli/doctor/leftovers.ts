import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import { type Agent, isOriginals } from '../agents/agent.ts';
import { byHelm } from '../agents/commands.ts';
import { orNone } from '../told.ts';
import { checkAddOn, isAddOn } from './add-on.ts';
import type { Controller, Facts, Role } from './facts.ts';
import { type Finding, judge, listed, together, type Verdict } from './finding.ts';
import { restoring } from './strangers.ts';

const ownName = 'app.kubernetes.io/name';

/** What the original and its AKS add-on left behind, and what of both runs at once. */
export function checkLeftovers(facts: Facts): Verdict {
  const { agents, daemonSets, deployments, roles } = facts;
  return together(
    judge({ agents }, (read) => twoOnNode(read.agents)),
    judge({ daemonSets }, (read) => read.daemonSets.filter(isOriginal).map((each) => runs(each, facts))),
    judge({ deployments }, (read) => read.deployments.filter(isOriginal).map((each) => runs(each, facts))),
    judge({ roles }, (read) => read.roles.filter(isOriginalRole).map((role) => roleLeft(role, facts))),
    checkAddOn(facts),
  );
}

function isOriginal({ images }: Controller): boolean {
  return images.some(isOriginals);
}

function runs(controller: Controller, { agents }: Facts): Finding {
  const { kind, namespace, name, images } = controller;
  const image = images.find(isOriginals) ?? '';
  const addOn = isAddOn(controller);
  const ours = orNone(agents).some(({ original }) => !original);
  return {
    severity: ours ? 'warning' : 'note',
    what: `${kind} ${podKey(controller)} runs the original, ${clean(image)}${addOn ? ", as AKS's add-on" : ''}`,
    why: 'The original is archived since September 2023 and the add-on unsupported since September 2025: their holes are not mended any more',
    mend: [
      addOn
        ? 'az aks update --resource-group=GROUP --name=CLUSTER --disable-pod-identity'
        : `kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace}`,
    ],
  };
}

/** Each writes its own chain over the other's, with its own port. */
function twoOnNode(agents: readonly Agent[]): readonly Finding[] {
  const staying = agents.filter(({ node, deleting }) => node !== '' && !deleting);
  const byNode = Object.groupBy(staying, ({ node }) => node);
  const both = Object.values(byNode).filter(
    (group = []) => group.some(({ original }) => original) && group.some(({ original }) => !original),
  );
  if (both.length === 0) return [];
  const pods = both.flatMap((group = []) => group.filter(({ original }) => original));
  return [
    {
      severity: 'error',
      what: `The original's NMI and this one run on the same nodes: ${listed(both.map((group = []) => group[0]?.node ?? ''))}`,
      why: "They overwrite each other's rules and share a port, so that which of them answers a pod changes from minute to minute",
      mend: [
        `kubectl get pod ${pods[0]?.name} -n ${pods[0]?.namespace} -o jsonpath='{.metadata.ownerReferences[0].name}'`,
      ],
    },
  ];
}

/** Ours have the original's names, so that they take its place; the label tells them apart. */
function isOriginalRole({ name, labels }: Role): boolean {
  const named = /^aad-pod-id-(nmi|mic)-role$|^aad-pod-identity-(nmi|mic)$/.test(name);
  return named && labels[ownName] !== 'pod-identity' && labels['app.kubernetes.io/managed-by'] !== 'Helm';
}

function roleLeft({ name, rights }: Role, facts: Facts): Finding {
  const replacing = restoring(facts);
  const wide = rights.filter((right) => /secrets|\*/.test(right));
  return {
    severity: wide.length > 0 ? 'warning' : 'note',
    what: `ClusterRole ${name} is still the original's${wide.length > 0 ? `, which may ${listed(wide)} in all namespaces` : ''}`,
    why: [
      'Whoever gets hold of an agent or of MIC has these rights; none of them is needed. Delete it where nothing uses it any more',
      ...(replacing.length > 0 ? [byHelm] : []),
    ].join('. '),
    mend: [...replacing, `kubectl delete clusterrole ${name}`],
  };
}
