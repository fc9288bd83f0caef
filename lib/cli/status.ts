import { flag } from '../config/flag.ts';
import { bool } from '../config/types.ts';
import { AppError } from '../model/errors.ts';
import { allNamespaces, commonFlags } from './arguments.ts';
import { exit } from './exit.ts';
import { givenIn, modeFlags } from './explain/mode.ts';
import type { Report } from './report.ts';
import { type Overview, readOverview } from './status/read.ts';
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
    help: 'look again every 5 s, and show it anew when something has changed',
  }),
  allNamespaces,
  namespace: { ...commonFlags.namespace, help: 'its identities and pods alone; all namespaces unless given' },
  operationMode: modeFlags.operationMode,
  forceNamespaced: modeFlags.forceNamespaced,
  micNamespace: modeFlags.micNamespace,
};

const about = `podid status
podid status -n shop --watch
podid status -o json

Tells of all namespaces, or with -n of the identities and pods of one. An agent is ready once its rules are seen in the kernel,
its caches are filled and it hears pods. What a pod would get is decided by the agent's own code; podid explain tells more.
Status 0 when every node has an agent that is ready and no pod is without a token; 3 when a node has none or a pod is
denied, 4 when pods only wait, 1 when something could not be read; of --watch that is ended (Ctrl-C), 0.`;

/** What there is, and who is without. */
export const statusVerb = verb({
  name: 'status',
  words: '',
  count: [0, 0],
  summary: 'Show nodes, agents, rules, identities, assignments and the pods without a token',
  about,
  flags: own,
  run: async (call) => {
    if (call.screen.isTerminal) call.screen.progress('reading the cluster');
    if (call.flags.watch) return watch(call);
    const overview = await look(call);
    // The same would be said of each kind.
    const { nodes, agents } = overview;
    for (const list of [nodes, agents.pods])
      if (list.kind === 'untold' && list.code === 'kube-unreachable') throw new AppError(list.code, list.why);
    return reportOf(overview);
  },
});

function look({ cluster, flags, signal }: Call<typeof own>): Promise<Overview> {
  const namespace = flags.allNamespaces ? '' : flags.namespace;
  return readOverview(cluster.connection, { namespace, given: givenIn(flags) }, signal);
}

function reportOf(overview: Overview): Report {
  return statusReport(summaryOf(overview));
}

/** Until it is told to end, which is no failure: also in the middle of a look. */
async function watch(call: Call<typeof own>): Promise<typeof exit.ok> {
  try {
    await watchOn(call);
  } catch (error) {
    if (!call.signal.aborted) throw error;
  }
  return exit.ok;
}

async function watchOn(call: Call<typeof own>): Promise<void> {
  const { screen, clock, signal } = call;
  let shown = '';
  while (!signal.aborted) {
    const report = reportOf(await look(call));
    // What was cut off in the middle says nothing of the cluster.
    if (signal.aborted) return;
    const now = JSON.stringify(report.data);
    if (now !== shown) screen.redraw(report);
    shown = now;
    if (screen.isTerminal) screen.progress(`looking again every ${everyMs / 1000} s`);
    await clock.sleep(everyMs, signal);
  }
}
