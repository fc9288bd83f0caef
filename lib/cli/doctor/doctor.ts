import { givenIn, modeFlags } from '../explain/mode.ts';
import type { Report } from '../report.ts';
import { verb } from '../verb.ts';
import { examineAll } from './checks.ts';
import { readFacts } from './read.ts';
import { examination } from './say.ts';

const about = `
podid doctor
podid doctor -o json

Looks at the whole cluster and changes nothing. Each check is well (✓), has found something (✗, with why it hurts and the command that
mends it), or could not be told (?), often for want of a right. Status 0: nothing to mend; 3: an error or a warning was found;
1: some check could not be told. How the agents decide is read from their command lines; say otherwise with the flags that are theirs.
`;

/** What is wrong in a cluster, and what mends it. */
export const doctorVerb = verb({
  name: 'doctor',
  words: '',
  count: [0, 0],
  summary: 'Look for what keeps pods from their tokens, or gives them others, and tell what mends it',
  about,
  wholeCluster: true,
  flags: modeFlags,
  run: async ({ flags, cluster, screen, signal }): Promise<Report> => {
    const { connection } = cluster;
    // Of no use in a log: nothing is waited for.
    const progress = (line: string): void => (screen.isTerminal ? screen.progress(line) : undefined);
    const facts = await readFacts({ connection, signal, progress, given: givenIn(flags) });
    return examination(examineAll(facts));
  },
});
