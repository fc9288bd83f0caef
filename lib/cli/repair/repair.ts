import { micFlags } from '../../config/mic-flags.ts';
import { AssignedObjects } from '../../kube/assigned-objects.ts';
import { micAssigned } from '../../kube/mic-assigned.ts';
import { assignedPods, nodes } from '../../kube/mic-resources.ts';
import { Turns } from '../../kube/turns.ts';
import { Writer } from '../../kube/writer.ts';
import { isAppError } from '../../model/errors.ts';
import { dryRunFlag } from '../arguments.ts';
import { itemsOf, listIfInstalled } from '../lists.ts';
import { type Call, verb } from '../verb.ts';
import { type MicAtWork, micAtWork } from './mic-standing.ts';
import { planRepair, type RepairPlan } from './plan.ts';
import { type Repaired, repairReport } from './say.ts';

const { leaderElectionNamespace, leaderElectionName } = micFlags;

const flags = {
  dryRun: dryRunFlag('tell what would be done, and do nothing'),
  leaderElectionNamespace,
  leaderElectionName,
};

/** Requests a second: nobody waits for a repair as pods wait for MIC. */
const qps = 20;

/** Assignments that no MIC looks after any more. */
export const repairVerb = verb({
  name: 'repair',
  words: '',
  count: [0, 0],
  summary: 'Release what a vanished MIC left: finalizers, and assignments of pods that are gone',
  about: `
podid repair --dry-run
podid repair

Looks at all namespaces. While a MIC is at work it leaves to it what MIC mends itself. What stays on machines in Azure is told, with
the commands that take it off. Status 3: there is something to repair (--dry-run), or an object changed meanwhile; 1: one could not be
released, and those behind it were not tried; 4: a MIC is to do it.
`,
  wholeCluster: true,
  flags,
  run: async (call) => {
    const made = await look(call);
    const repaired = call.flags.dryRun ? [] : await carryOut(call, made.plan);
    return repairReport({ ...made, repaired, dryRun: call.flags.dryRun });
  },
});

type RepairCall = Call<typeof flags>;

async function look(
  call: RepairCall,
): Promise<{ readonly plan: RepairPlan; readonly mic: MicAtWork | undefined }> {
  const { flags: given, cluster, screen, signal } = call;
  const { connection } = cluster;
  const place = { namespace: given.leaderElectionNamespace, name: given.leaderElectionName };
  const progress = (line: string): void => screen.progress(line);
  const mic = await micAtWork({ connection, place, signal, progress });
  // In this order; see RepairView.
  const assigned = await itemsOf(connection, micAssigned(), { signal, list: listIfInstalled });
  const pods = await itemsOf(connection, assignedPods(), { signal });
  const known = await itemsOf(connection, nodes, { signal });
  const providers = new Map(known.map(({ name, providerId }) => [name, providerId]));
  return { mic, plan: planRepair({ assigned, pods, nodes: providers, mic: mic?.who }) };
}

/** In turn; ends at the first that the API server refuses, since it would refuse the others too. */
async function carryOut(call: RepairCall, { repairs }: RepairPlan): Promise<readonly Repaired[]> {
  const { cluster, screen, clock, signal } = call;
  const turns = new Turns({ clock, qps, perLane: 1 });
  const writer = new Writer({ connection: cluster.connection, turns, random: Math.random });
  const objects = new AssignedObjects(writer);
  const done: Repaired[] = [];
  for (const repair of repairs) {
    screen.progress(`${done.length} of ${repairs.length} repaired`);
    try {
      done.push({ repair, became: await objects.remove(repair.object, { lane: 'repair', signal }) });
    } catch (error) {
      if (!isAppError(error) || signal.aborted) throw error;
      done.push({ repair, became: 'failed', why: error.answer?.body || error.message });
      break;
    }
  }
  return done;
}
