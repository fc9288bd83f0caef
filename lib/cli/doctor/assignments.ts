import type { AssignedObject } from '../../model/assigned-object.ts';
import { podKey } from '../../model/pod.ts';
import { planRepair, type RepairCause } from '../repair/plan.ts';
import type { Facts } from './facts.ts';
import { type Finding, judge, listed, type Verdict } from './finding.ts';

const mends = ['podid repair --dry-run', 'podid repair'];
const idle = 'The identities that they stand for stay on the machines, where nobody needs them';

/** AzureAssignedIdentities that no MIC looks after: stuck in their deletion, of pods that are gone, or of another mode. */
export function checkAssignments({ assigned, pods, nodes, mics, mode }: Facts): Verdict {
  return judge({ assigned, pods, nodes, mics, mode }, (read): readonly Finding[] => {
    // A living MIC is at them; what it leaves for its grace is no finding.
    if (read.mics.some(({ ready }) => ready)) return [];
    const providers = new Map(read.nodes.map(({ name, providerId }) => [name, providerId]));
    const { repairs } = planRepair({ ...read, nodes: providers, mic: undefined });
    const of = (cause: RepairCause): readonly AssignedObject[] =>
      repairs.filter((each) => each.cause === cause).map(({ object }) => object);
    const wrong = new Set(repairs.map(({ object }) => object));
    const others = read.mode.managed ? read.assigned.filter((object) => !wrong.has(object)) : [];
    return [...stuck(of('stuck')), ...gone(of('pod-gone')), ...foreign(others)];
  });
}

function stuck(objects: readonly AssignedObject[]): readonly Finding[] {
  if (objects.length === 0) return [];
  return [
    {
      severity: 'error',
      what: `AzureAssignedIdentities that are deleted and not gone: ${listed(objects.map(podKey))}`,
      why: 'They wait for a finalizer that only MIC takes off, and hold up the deletion of their namespace and of the CRDs',
      mend: mends,
    },
  ];
}

function gone(objects: readonly AssignedObject[]): readonly Finding[] {
  if (objects.length === 0) return [];
  const what = `AzureAssignedIdentities of pods that are gone, and no MIC runs: ${listed(objects.map(podKey))}`;
  return [{ severity: 'warning', what, why: idle, mend: mends }];
}

/** Managed mode has none. */
function foreign(objects: readonly AssignedObject[]): readonly Finding[] {
  if (objects.length === 0) return [];
  const spaces = [...new Set(objects.map(({ namespace }) => namespace))];
  return [
    {
      severity: 'warning',
      what: `The agents run in managed mode, and AzureAssignedIdentities of standard mode are left: ${listed(objects.map(podKey))}`,
      why: idle,
      mend: [
        ...spaces.map((space) => `kubectl delete azureassignedidentities --all --wait=false -n ${space}`),
        'podid repair',
      ],
    },
  ];
}
