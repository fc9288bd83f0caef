import { flag } from '../config/flag.ts';
import { bool } from '../config/types.ts';
import { exit } from './exit.ts';
import { modeFlags } from './explain/mode.ts';
import type { Report } from './report.ts';
import { readOverview } from './status/read.ts';
import { statusReport } from './status/say.ts';
import { summaryOf } from './status/summary.ts';
import { type Call, verb } from './verb.ts';

/** Between two looks: each lists what it tells of, also in a large cluster, ms. */
const everyMs = 5_000;

const own = {
  watch: flag({
    flag: 'watch',
    short: 'w',
    type: bool,
    default: false,
    help: 'look again every 5 s, and tell what has changed',
  }),
  operationMode: modeFlags.operationMode,
  forceNamespaced: modeFlags.forceNamespaced,
};

const about = `podid status
podid status -n shop --watch
podid status -o json

Tells of all namespaces, or with -n of the identities and pods of one. An agent is ready once its rules are seen in the kernel,
its caches are filled and it hears pods. What a pod would get is decided by the agent's own code; podid explain tells more.
Status 0 when every node has an agent that is ready and no pod is without a token; 3 when a node or a pod is, 4 when pods
only wait, 1 when something could not be read.`;

/** What there is, and who is without. */
export const statusVerb = verb({
  name: 'status',
  words: '',
  count: [0, 0],
  summary: 'Show nodes, agents, rules, identities, assignments and the pods without a token',
  about,
  flags: own,
  run: async (call) => (call.flags.watch ? watch(call) : look(call)),
});

async function look({ cluster, flags, signal }: Call<typeof own>): Promise<Report> {
  const { operationMode, forceNamespaced, namespace } = flags;
  const given = { operationMode, forceNamespaced, micNamespace: undefined, enableScaleFeatures: undefined };
  return statusReport(summaryOf(await readOverview(cluster.connection, { namespace, given }, signal)));
}

/** Until it is told to end. */
async function watch(call: Call<typeof own>): Promise<typeof exit.ok> {
  const { screen, clock, signal } = call;
  let shown = '';
  while (!signal.aborted) {
    const report = await look(call);
    const now = JSON.stringify(report.data);
    if (now !== shown) screen.redraw(report);
    shown = now;
    if (screen.isTerminal) screen.progress(`looking again every ${everyMs / 1000} s`);
    await clock.sleep(everyMs, signal);
  }
  return exit.ok;
}
