import t from 'tap';
import { eventBody } from '../../lib/kube/event-body.ts';
import { createRecorder } from '../../lib/metadata/record.ts';
import type { Answer } from '../../lib/metadata/reply.ts';
import type { Trace } from '../../lib/metadata/stages.ts';
import type { Decision } from '../../lib/model/decision.ts';
import { createLogger } from '../../lib/platform/log.ts';
import { NmiMetrics } from '../../lib/platform/metrics.ts';
import { explain } from '../../lib/policy/explain.ts';
import { anIdentity } from '../fakes/model.ts';
import { allow, handle, tokenPath, type World } from './handling.ts';

/** What clients and objects' authors may choose, each of them in each place below. */
const evils: Readonly<Record<string, string>> = {
  newlines: 'x\r\n2026-01-01T00:00:00Z INFO  request status=200\n',
  'terminal escapes': 'x\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2028',
  'a megabyte': 'x\x1b\n'.repeat(350_000),
};

/** Where a decision holds a string of somebody's choice. */
const decisions = (evil: string): readonly Decision[] => [
  { kind: 'deny', why: { code: 'no-binding', label: evil } },
  { kind: 'deny', why: { code: 'no-client-id', identity: anIdentity({ clientId: evil, resourceId: evil }) } },
  { kind: 'wait', why: { code: 'identity-missing', binding: evil, azureIdentity: evil } },
  { kind: 'wait', why: { code: 'assignment-missing', binding: evil } },
  { kind: 'wait', why: { code: 'not-assigned', identity: evil } },
  { kind: 'wait', why: { code: 'binding-missing', label: evil } },
  { kind: 'pass', exception: evil },
];

/** Where a request does: its answer is a denial that repeats what was asked for. */
const queries = ['client_id', 'object_id', 'msi_res_id'] as const;
const headers = ['user-agent', 'x-client-sku', 'x-ms-client-request-id', 'podns', 'podname'];

interface Outcome {
  readonly answer: Answer;
  readonly trace: Trace;
}

/** Every request that carries the evil string somewhere, and what became of it. */
async function outcomes(evil: string): Promise<readonly Outcome[]> {
  const encoded = encodeURIComponent(evil);
  const url = `${tokenPath}?resource=${encoded}`;
  const evilHeaders = Object.fromEntries(headers.map((name) => [name, evil]));
  const all = { headers: { metadata: 'true', ...evilHeaders } };
  const run = (target: string, world: World): Promise<Outcome> => handle(target, all, { explain, ...world });
  const notBound = (by: 'client_id' | 'object_id' | 'resource_id'): Decision => ({
    kind: 'deny',
    why: { code: 'not-bound', selector: { by, value: evil } },
  });
  return Promise.all([
    ...decisions(evil).map((decision) => run(url, { decision })),
    ...queries.map((name) => {
      const by = name === 'msi_res_id' ? 'resource_id' : name;
      return run(`${url}&${name}=${encoded}`, { decision: notBound(by) });
    }),
    run(url, { decision: allow }),
    handle(`/host/token?resource=${encoded}`, { ...all, from: '127.0.0.1' }, { explain }),
  ]);
}

/** The line that people read of it. */
function lineOf({ answer, trace }: Outcome): string {
  const lines: string[] = [];
  const log = createLogger('text', { to: { write: (line: string) => void lines.push(line) } });
  const { code, status, cause } = answer;
  const served = { requestId: 'id', method: 'GET', trace, code, status, ms: 1, at: 0, address: '10.0.0.5' };
  createRecorder(log, new NmiMetrics())({ ...served, ...(cause !== undefined && { cause }) });
  return lines.join('');
}

const marks = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

for (const [what, evil] of Object.entries(evils)) {
  t.test(
    `${what} in ids, resource, headers, labels and names reach no answer, event or log line`,
    async (t) => {
      for (const outcome of await outcomes(evil)) {
        const { answer, trace } = outcome;
        if (typeof answer.body === 'object' && 'error_description' in answer.body) {
          const { error_description: told } = answer.body;
          t.notMatch(told, marks);
          t.ok(told.length < 1_000, `${answer.code}: an error of ${told.length} characters`);
        }
        const event = { type: 'Warning', reason: 'NoBinding', message: trace.explanation ?? '' } as const;
        const pod = { uid: '1', namespace: 'apps', name: 'web' };
        const { message = '' } = eventBody(pod, event, { node: 'n', now: 0 });
        t.notMatch(message, marks);
        t.ok(Buffer.byteLength(message) <= 1_024, `${answer.code}: an event of ${message.length} characters`);
        const line = lineOf(outcome);
        t.match(line, /^\S+ (INFO|WARN) {2}request [^\n]+\n$/);
        t.notMatch(line.slice(0, -1), marks);
        t.ok(line.length < 2_000, `${answer.code}: a line of ${line.length} characters`);
      }
    },
  );
}
