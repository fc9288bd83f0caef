import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { NmiConfig } from '../config/nmi-flags.ts';
import type { Clock } from '../platform/clock.ts';
import type { Exec } from '../platform/exec.ts';
import type { Logger } from '../platform/log.ts';
import type { NmiMetrics } from '../platform/metrics.ts';
import { answersBy } from '../redirect/answers.ts';
import { kernelInterfaces } from '../redirect/datapath.ts';
import { createIptables } from '../redirect/iptables.ts';
import type { ListenPlan } from '../redirect/node-address.ts';
import { createProof, type Proof } from '../redirect/proof.ts';
import { createRedirect, type Redirect, type RedirectState } from '../redirect/redirect.ts';
import { createSelfProbe, type SelfProbe } from '../redirect/self-probe.ts';
import { unfilteredUplink } from '../redirect/uplink.ts';
import { podPorts } from './listeners.ts';
import type { Serving } from './serving.ts';

export interface RedirectParts {
  readonly config: NmiConfig;
  readonly plan: ListenPlan;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: NmiMetrics;
  readonly serving: () => Pick<Serving, 'listening' | 'answersAt'>;
}

/** The redirect, and whether packets meet it. */
export interface Way {
  readonly redirect: Redirect;
  readonly proof: Proof;
  readonly probe: SelfProbe;
  /** One sentence for each thing that keeps pods from coming to us. */
  problems(): readonly string[];
}

export function wayOf(parts: RedirectParts): Way {
  const { config, exec, clock, log, metrics, serving } = parts;
  const listening = (): boolean => serving().listening;
  const redirect = redirectOf(parts, (what, found) => {
    metrics.repairs.inc({ what, found });
    proof.redo();
  });
  const state = (): RedirectState => redirect.state();
  const probe = createSelfProbe({
    exec,
    random: Math.random,
    rules: config,
    backend: () => state().backend,
  });
  const proof = createProof({
    ...{ clock, log, probe, random: Math.random, interfaces: kernelInterfaces },
    uplink: () => unfilteredUplink(config.metadataIp, read),
    iptables: () => {
      const { backend } = state();
      return backend && createIptables(exec, backend);
    },
    stands: () => listening() && state().guard === 'present' && state().redirect === 'present',
  });
  const problems = (): readonly string[] =>
    state().yielded
      ? ['another agent serves the pods of this node']
      : [...(listening() ? [] : ['the listener is not open']), ...rulesMissing(state()), ...proof.problems()];
  return { redirect, proof, probe, problems };
}

function redirectOf(
  { config, plan, exec, clock, log, serving }: RedirectParts,
  onRepair: (what: string, found: string) => void,
): Redirect {
  const { metadataIp, metadataPort } = config;
  const answers = answersBy(exec);
  return createRedirect({
    ...{ exec, clock, log, onRepair },
    answers: async (target) => (serving().answersAt(target) ? 'no' : answers(target)),
    readFile: read,
    random: Math.random,
    rules: {
      ...{ metadataIp, metadataPort, listen: plan.listen, targetIp: plan.target },
      ports: podPorts(config, plan.listen),
      owner: randomBytes(8).toString('hex'),
    },
    guard: config.guard,
    backend: config.iptablesBackend,
    updateSeconds: config.iptUpdateIntervalSec,
    conntrackDeletion: config.enableConntrackDeletion,
  });
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

function rulesMissing({ why, ...state }: RedirectState): string[] {
  const because = why === undefined ? '' : ` (${why})`;
  return (['guard', 'redirect'] as const)
    .filter((name) => state[name] !== 'present' && state[name] !== 'off')
    .map((name) => `${name} rules: ${state[name] === 'unknown' ? 'not known' : state[name]}${because}`);
}
