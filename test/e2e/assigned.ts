import { eventually } from '../lab/eventually.ts';
import type { KubeObject } from '../lab/kube/object.ts';
import { azureIdentity, pair } from './bindings.ts';
import { long } from './patience.ts';
import { type Stage, standard } from './stage.ts';
import { isReady } from './workload.ts';

export const assignments = 'azureassignedidentities';
const micLabels = 'app=mic,component=mic';

/** A managed identity that is there in Azure and bound in the cluster, and on no machine. */
export async function offer({ kubectl, arm }: Stage, name: string): Promise<void> {
  await arm.createIdentities(azureIdentity(name));
  await kubectl.apply(...pair(name));
}

/** Waits until both MICs are there and ready. */
export async function micsReady({ kubectl }: Stage): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const mics = await kubectl.list('pods', '-n', standard.home, '-l', micLabels);
    return mics.length === 2 && mics.every(isReady);
  };
  await eventually('both MICs are ready', ready, long);
}

/** The pod that leads; undefined while none does. */
export async function leaderOf({ kubectl }: Stage): Promise<string | undefined> {
  const lease = await kubectl.get('lease', 'aad-pod-identity-mic', standard.home);
  const holder = lease?.spec?.holderIdentity;
  return typeof holder === 'string' && holder !== '' ? holder : undefined;
}

export async function assignmentOf({ kubectl }: Stage, pod: string): Promise<KubeObject | undefined> {
  return (await kubectl.list(assignments, '-A')).find(({ spec }) => spec?.pod === pod);
}

/** Of an assignment: `Created`, `Assigned`, `Unassigned`. */
export const statusOf = (object: KubeObject | undefined): unknown => object?.status?.status;

/** How many machines have this identity, in Azure. */
export async function holdersOf({ arm, machines }: Stage, name: string): Promise<number> {
  const id = azureIdentity(name).resourceId.toLowerCase();
  const views = await Promise.all(machines.map((machine) => arm.machine(machine.id)));
  return views.filter((view) => view?.userAssigned.includes(id)).length;
}
