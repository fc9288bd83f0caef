import { flag } from '../config/flag.ts';
import { bool, duration, text } from '../config/types.ts';
import type { IdentitySelector, TokenRequest } from '../model/decision.ts';
import { isAppError } from '../model/errors.ts';
import { podKey } from '../model/pod.ts';
import { usageError } from './arguments.ts';
import { exit } from './exit.ts';
import { givenIn, modeFlags } from './explain/mode.ts';
import { type Question, readFacts } from './explain/read.ts';
import { explanation } from './explain/say.ts';
import { walk } from './explain/walk.ts';
import type { Report } from './report.ts';
import { type Call, verb } from './verb.ts';

/** Between two looks, ms. */
const everyMs = 2_000;

const own = {
  clientId: flag({
    flag: 'client-id',
    type: text,
    default: '',
    help: 'client id that the request names, if any',
  }),
  resourceId: flag({ flag: 'resource-id', type: text, default: '', help: 'or the ARM id of its identity' }),
  objectId: flag({ flag: 'object-id', type: text, default: '', help: 'or its object id' }),
  resource: flag({
    flag: 'resource',
    type: text,
    default: 'https://management.azure.com/',
    help: 'what the token is for',
  }),
  wait: flag({
    flag: 'wait',
    type: bool,
    default: false,
    help: 'look again every 2 s while the request would wait',
  }),
  timeout: flag({
    flag: 'timeout',
    type: duration(0, 86_400_000),
    default: 120_000,
    help: 'how long `--wait` waits',
  }),
  ...modeFlags,
};

const about = `podid explain pod/web -n shop
podid explain pod/web -n shop --client-id=CLIENT_ID --resource=https://vault.azure.net
podid explain pod/web -n shop --wait && echo ready

Walks the way of a pod's token request: pod, label, binding, identity, assignment, agent, token. Each step is in order (✓), the
reason why not (✗), what would be waited for (…), or could not be told (?), with the commands that mend it. What decides is the
agent's own code, with the flags of the agent on the pod's node; say otherwise with the flags that are named as the agent's.
No token is asked for. Status 0 only when a token would be given; 3 denied, 4 it would wait, 1 could not tell.`;

/** Why a pod gets a token, or none. */
export const explainVerb = verb({
  name: 'explain',
  words: 'pod/NAME',
  count: [1, 1],
  summary: 'Tell whether a pod would get a token, and if not, why and what mends it',
  about,
  flags: own,
  run: async (call) => {
    const question = questionOf(call);
    const deadline = call.clock.monotonic() + call.flags.timeout;
    const isOver = (): boolean => call.clock.monotonic() + everyMs > deadline || call.signal.aborted;
    let found = await look(call, question);
    while (call.flags.wait && found.report.status === exit.wait && !isOver()) {
      call.screen.progress(`waiting for pod ${podKey(question)}: ${found.waitsFor}`);
      await call.clock.sleep(everyMs, call.signal);
      found = await lookAgain(call, question, found);
    }
    return found.report;
  },
});

interface Look {
  readonly report: Report;
  /** What the first step that waits has found; '' where none does. */
  readonly waitsFor: string;
}

async function look({ cluster, signal }: Call<typeof own>, question: Question): Promise<Look> {
  const facts = await readFacts(cluster.connection, question, signal);
  const steps = walk(facts);
  const waitsFor = steps.find(({ state }) => state === 'wait')?.found ?? '';
  return { report: explanation(facts, steps), waitsFor };
}

/** An API server that was there a moment ago comes back. */
async function lookAgain(call: Call<typeof own>, question: Question, before: Look): Promise<Look> {
  try {
    return await look(call, question);
  } catch (error) {
    if (!isAppError(error, 'kube-unreachable')) throw error;
    return { report: before.report, waitsFor: error.message };
  }
}

function questionOf({ flags, words, cluster }: Call<typeof own>): Question {
  const [, name = ''] = /^(?:(?:pods?|po)\/)?([^/]+)$/.exec(words[0] ?? '') ?? [];
  if (name === '') throw usageError(`podid explain takes pod/NAME, not ${JSON.stringify(words[0])}`);
  return { namespace: cluster.namespace, name, request: requestOf(flags), given: givenIn(flags) };
}

function requestOf({ resource, clientId, resourceId, objectId }: Call<typeof own>['flags']): TokenRequest {
  if (resource === '') throw usageError('--resource is empty, which IMDS refuses with 400');
  const asked = [
    { by: 'client_id', value: clientId },
    { by: 'resource_id', value: resourceId },
    { by: 'object_id', value: objectId },
  ] satisfies readonly IdentitySelector[];
  const [selector, second] = asked.filter(({ value }) => value !== '');
  if (second)
    throw usageError('a request names one identity: one of --client-id, --resource-id, --object-id');
  return selector ? { resource, selector } : { resource };
}
