import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import type { Exec } from '../../lib/platform/exec.ts';
import { createLogger } from '../../lib/platform/log.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { createRedirect, type Redirect } from '../../lib/redirect/redirect.ts';
import type { RedirectRules } from '../../lib/redirect/rules.ts';
import { addresses } from '../lab/addresses.ts';
import { ready, startProcess } from '../lab/processes.ts';
import { execIn, readFileIn, throwAwayNode } from './namespaces.ts';

/** What the redirect stage is about, on the real kernel: a pod, its node with an agent's listener, and Azure behind it. */
export interface Scene {
  /** Runs in the node's namespace. */
  readonly onNode: Exec;
  readonly rules: RedirectRules;
  redirect(backend: BackendName): Redirect;
  /** How connections end: `agent` or `azure` (who answered), `refused` or `silence`, each with its number. */
  ask(from: 'pod' | 'node', to: string, count?: number): Promise<Record<string, number>>;
  /** Starts one more listener on the node, that answers with its name. */
  listen(name: string, port: number): Promise<void>;
  /** How many connections Azure has accepted so far. */
  azureHits(): number;
}

export const metadata = `${addresses.imds}:80`;
export const agent = `${addresses.node}:2579`;

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
  await start(names.node, 'agent', addresses.node, '2579');
  const onNode = execIn(names.node);
  const rules: RedirectRules = {
    metadataIp: addresses.imds,
    metadataPort: 80,
    listen: addresses.node,
    target: { ip: addresses.node, port: 2579 },
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
    redirect: (backend) =>
      createRedirect({
        exec: onNode,
        readFile: readFileIn(names.node),
        clock: systemClock,
        log: createLogger('json', { to: { write: () => undefined } }),
        random: () => 0,
        rules,
        backend,
        conntrackDeletion: true,
        onRepair: () => undefined,
      }),
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
