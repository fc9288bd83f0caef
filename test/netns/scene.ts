import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import type { Exec } from '../../lib/platform/exec.ts';
import { createLogger } from '../../lib/platform/log.ts';
import type { Answers } from '../../lib/redirect/answers.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { createRedirect, type Redirect, type RedirectOptions } from '../../lib/redirect/redirect.ts';
import type { RedirectRules } from '../../lib/redirect/rules.ts';
import { addresses } from '../lab/addresses.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { execIn, readFileIn, throwAwayNode } from './namespaces.ts';

/** What the redirect stage is about, on the real kernel: a pod, its node with an agent's listener, and Azure behind it. */
export interface Scene {
  /** Runs in the node's namespace. */
  readonly onNode: Exec;
  readonly rules: RedirectRules;
  /** The stage on this node; `redirect(podPort)` sends pods to the listener `agent`. */
  redirect(backend: BackendName, more?: Partial<RedirectOptions>): Redirect;
  /** How connections end: `agent` or `azure` (who answered), `refused` or `silence`, each with its number. */
  ask(from: 'pod' | 'node', to: string, count?: number): Promise<Record<string, number>>;
  /** Starts one more listener on the node, that answers with its name. */
  listen(name: string, port: number): Promise<void>;
  /** How many connections Azure has accepted so far. */
  azureHits(): number;
}

export const metadata = `${addresses.imds}:80`;
/** The port of the listener `agent`. */
export const podPort = 2579;
export const agent = `${addresses.node}:${podPort}`;

/** Long enough for an answer on a busy machine, short enough for a SYN that is dropped. */
const patienceMs = '700';

export async function setScene(t: Test): Promise<Scene> {
  const names = throwAwayNode(t);
  const here = import.meta.dirname;
  const start = async (namespace: string, ...args: readonly [string, string, string]) => {
    const command = [process.execPath, join(here, 'listener.ts'), ...args] as const;
    const started = startProcess({ namespace, command: [...command], log: join(names.folder, args[0]) });
    await ready(args[0], started);
    return started;
  };
  const azure = await start(names.azure, 'azure', addresses.imds, '80');
  await start(names.node, 'agent', addresses.node, String(podPort));
  const onNode = execIn(names.node);
  const rules: RedirectRules = {
    metadataIp: addresses.imds,
    metadataPort: 80,
    listen: addresses.node,
    targetIp: addresses.node,
    ports: [podPort, podPort + 1],
    owner: 'a1',
  };
  return {
    onNode,
    rules,
    azureHits: () => azure.output().split('hit ').length - 1,
    listen: async (name, port) => void (await start(names.node, name, addresses.node, String(port))),
    async ask(from, to, count = 1) {
      const args = [join(here, 'ask.ts'), ...to.split(':'), String(count), patienceMs];
      const { code, stdout, stderr } = await execIn(names[from])(process.execPath, args, {
        timeoutMs: 60_000,
      });
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, number>;
    },
    redirect: (backend, more) =>
      createRedirect({
        exec: onNode,
        answers: answersOn(onNode),
        readFile: readFileIn(names.node),
        clock: systemClock,
        log: createLogger('json', { to: { write: () => undefined } }),
        random: () => 0,
        rules,
        guard: 'mangle',
        backend,
        conntrackDeletion: true,
        onRepair: () => undefined,
        ...more,
      }),
  };
}

/** The question of lib/redirect/answers.ts, asked in the node's namespace. */
function answersOn(onNode: Exec): Answers {
  const program = join(import.meta.dirname, 'ask.ts');
  return async ({ ip, port }) => {
    const args = [program, ip, String(port), '1', patienceMs];
    const { stdout } = await onNode(process.execPath, args, { timeoutMs: 10_000 });
    const { refused = 0, silence = 0 } = JSON.parse(stdout) as Record<string, number>;
    if (refused > 0) return 'no';
    return silence > 0 ? 'unknown' : 'yes';
  };
}

/** The lines of ours in what `iptables-save` of both backends prints. */
export async function oursLeft(onNode: Exec): Promise<string[]> {
  const saved: string[] = [];
  for (const program of ['iptables-nft-save', 'iptables-legacy-save']) {
    const { code, stdout, stderr } = await onNode(program, [], { timeoutMs: 10_000 });
    if (code !== 0) throw new Error(stderr);
    saved.push(...stdout.split('\n'));
  }
  return saved.filter((line) => line.includes('aad-metadata'));
}
