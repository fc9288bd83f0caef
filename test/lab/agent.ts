import { join } from 'node:path';
import type { ExecResult } from '../../lib/platform/exec.ts';
import { addresses, nodeName } from './addresses.ts';
import { eventually } from './eventually.ts';
import type { LabProcess } from './processes.ts';

export interface AgentOptions {
  /** Flags beside or instead of the usual ones: `{ 'nmi-port': 2580 }`. */
  readonly flags?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly backend?: 'nft' | 'legacy';
  /** What is started instead of `bin/nmi`: the launcher of a bundle, such as `dist/bin/nmi`. */
  readonly program?: string;
}

/** The agent as its own process in the node's namespace. Its ports answer inside of the node only. */
export interface Agent {
  readonly pid: number;
  readonly probe: string;
  readonly metrics: string;
  /** What it has logged so far, one record a line. */
  logs(): Record<string, unknown>[];
  /** Everything that it has written, also what is no record. */
  output(): string;
  /** Until `/readyz` answers 200. Rejects with its output when it ends or takes too long. */
  ready(): Promise<void>;
  /** Status and body of a path on the probe port; status 0 when nothing answers. */
  probed(path: string): Promise<{ readonly status: number; readonly body: string }>;
  /** Its exit status or the signal that ended it; undefined while it runs. */
  ended(): number | NodeJS.Signals | undefined;
  /** Sends the signal, SIGTERM unless said, and gives the exit status once it has ended. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

const sources = join(import.meta.dirname, '../../bin/nmi');

export function agentCommand({
  flags = {},
  backend,
  program = sources,
}: AgentOptions): [string, ...string[]] {
  const all = {
    node: nodeName,
    'operation-mode': 'managed',
    'nmi-listen-address': addresses.node,
    'http-probe-port': 8085,
    'prometheus-port': 9090,
    'log-format': 'json',
    ...(backend && { 'iptables-backend': backend }),
    ...flags,
  };
  return [program, ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)];
}

/** `onNode` runs a command in the agent's namespace. */
export function agentHandle(
  agent: LabProcess,
  { flags = {} }: AgentOptions,
  onNode: (command: readonly string[]) => Promise<ExecResult>,
): Agent {
  const probe = `http://127.0.0.1:${flags['http-probe-port'] ?? 8085}`;
  const probed = async (path: string): Promise<{ status: number; body: string }> => {
    const { stdout } = await onNode([
      'curl',
      '-s',
      '--max-time',
      '2',
      '-w',
      '\n%{http_code}',
      `${probe}${path}`,
    ]);
    const cut = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(cut + 1)), body: stdout.slice(0, cut) };
  };
  return {
    pid: agent.pid,
    probe,
    metrics: `http://127.0.0.1:${flags['prometheus-port'] ?? 9090}/metrics`,
    logs: () => records(agent.output()),
    output: agent.output,
    ready: () => ready(agent, probed),
    probed,
    ended: agent.ended,
    stop: agent.stop,
  };
}

async function ready(agent: LabProcess, probed: Agent['probed']): Promise<void> {
  let outcome: string | undefined;
  try {
    outcome = await eventually('the agent is ready', async () => {
      if (agent.ended() !== undefined) return 'ended';
      return (await probed('/readyz')).status === 200 ? 'ready' : undefined;
    });
  } catch (cause) {
    throw new Error(`the agent does not become ready:\n${agent.output()}`, { cause });
  }
  if (outcome === 'ended') throw new Error(`the agent ended (${agent.ended()}):\n${agent.output()}`);
}

function records(output: string): Record<string, unknown>[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
