import type { Connection } from '../../kube/connection.ts';
import { answerIn } from '../../kube/get.ts';
import type { Agent } from '../agents/agent.ts';
import type { Told } from '../told.ts';
import type { AgentLog } from './facts.ts';

/** Agents of all nodes log alike: of a large cluster the first are enough. */
const mostAgents = 20;
/** From its start, where an agent tells what it found on its node. */
const mostBytes = 128 * 1024;

/** What agents have logged since their start. Those of the original log other words and are left out. */
export async function readLogs(
  connection: Connection,
  agents: readonly Agent[],
  signal: AbortSignal,
): Promise<Told<readonly AgentLog[]>> {
  const own = agents.filter(({ original, node, deleting }) => !original && node !== '' && !deleting);
  if (own.length === 0) return { kind: 'untold', why: 'no agent of ours runs, whose log would tell' };
  const logs: AgentLog[] = [];
  for (const agent of own.slice(0, mostAgents)) {
    const lines = await linesOf(connection, agent, signal);
    if (typeof lines === 'string') return { kind: 'untold', why: lines };
    logs.push({ agent, lines });
  }
  return { kind: 'told', value: logs };
}

/** None of a pod that has no log (yet); a sentence where logs may not be read. */
async function linesOf(
  connection: Connection,
  { namespace, name }: Agent,
  signal: AbortSignal,
): Promise<readonly string[] | string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
  try {
    const { body } = await connection.request(path, { query: { limitBytes: String(mostBytes) }, signal });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= mostBytes) break;
    }
    return Buffer.concat(chunks).toString('utf8').split('\n');
  } catch (error) {
    return answerIn(error).kind === 'refused' ? 'the logs of the agents: no right to get pods/log' : [];
  }
}
