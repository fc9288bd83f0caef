import { isAppError, messageOf } from '../model/errors.ts';
import { clean } from '../model/text.ts';
import type { Exec, ExecResult } from '../platform/exec.ts';
import type { BackendName } from './iptables.ts';
import { newScratch, probeProgram } from './probe-program.ts';
import { guardPlace, type RedirectRules } from './rules.ts';

/**
 * Whether packets meet the redirect, in three answers; the last is no reason to distrust it. `why` is half a sentence.
 * `again`: the next answer may well be another.
 */
export type Verdict =
  | { readonly kind: 'proven' }
  | { readonly kind: 'disproven'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string; readonly again?: true };

/** What the pods' listener tells of a request that is over. */
export interface Heard {
  /** Went out as `x-ms-request-id`. */
  readonly requestId: string;
  readonly address: string | undefined;
}

export interface SelfProbeOptions {
  readonly exec: Exec;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly rules: Pick<RedirectRules, 'metadataIp' | 'metadataPort'>;
  /** The backend that holds the guard, once that is known. */
  readonly backend: () => BackendName | undefined;
}

/** A question to the metadata address from a network of its own, as a pod would ask it. */
export interface SelfProbe {
  /** One question, about 50 ms, or 2 s for silence. Never rejects. Not to be called while one is under way. */
  ask(): Promise<Verdict>;
  /** For each request that the pods' listener has served. True when it was the probe's and no pod's. */
  heard(request: Heard): boolean;
}

/**
 * The reply names a request id that our listener made at random, and the listener tells that it gave it to the probe's
 * address: nobody else can answer so, by chance or on purpose.
 */
export function createSelfProbe(options: SelfProbeOptions): SelfProbe {
  const { exec, random, rules, backend } = options;
  let current: { readonly address: string; readonly served: Set<string> } | undefined;
  let metTheGuard = false;
  const ask = async (): Promise<Verdict> => {
    const scratch = newScratch(random);
    const probe = { address: scratch.address, served: new Set<string>() };
    current = probe;
    const drops = (): Promise<number | undefined> => guardDrops(exec, backend(), rules.metadataIp);
    const before = await drops();
    const asked = await exec('bash', probeProgram(scratch, rules), { timeoutMs });
    const verdict = judge(asked, probe.served);
    const again = metTheGuard;
    const after = verdict === 'no answer' ? await drops() : undefined;
    metTheGuard = before !== undefined && after !== undefined && after > before;
    if (verdict !== 'no answer') return verdict;
    if (metTheGuard)
      return again ? { kind: 'disproven', why: past } : { kind: 'unknown', why: past, again: true };
    return { kind: 'unknown', why: `a probe had no answer (${complaintOf(asked) || 'silence'})` };
  };
  return {
    ask: () =>
      ask()
        .catch((error: unknown): Verdict => ({ kind: 'unknown', why: failure(error) }))
        .finally(() => {
          current = undefined;
        }),
    heard({ requestId, address }) {
      if (current === undefined || address !== current.address) return false;
      current.served.add(requestId);
      return true;
    },
  };
}

/** Believed the second time: connections from before the redirect come to the guard too, while they die. */
const past =
  'packets to the metadata address come past the redirect and die in the guard (look for NOTRACK or CT --notrack in the raw table)';

/** For the whole program, ms; what it starts ends by itself, the question after 2 s. */
const timeoutMs = 8_000;

function judge(asked: ExecResult, served: ReadonlySet<string>): Verdict | 'no answer' {
  const [, end] = /^end (\d+)$/m.exec(asked.stdout) ?? [];
  if (end === undefined)
    return { kind: 'unknown', why: `no network namespace for a probe (${complaintOf(asked)})` };
  const [first = ''] = asked.stdout.split('\n', 1);
  if (!first.startsWith('HTTP/')) return 'no answer';
  const [, requestId = ''] = /^x-ms-request-id: *([^\s]+)/im.exec(asked.stdout) ?? [];
  if (served.has(requestId)) return { kind: 'proven' };
  const [, server] = /^server: *(.+)/im.exec(asked.stdout) ?? [];
  const who = clean(
    [first, server]
      .filter((part) => part !== undefined)
      .join(', ')
      .replaceAll('\r', ''),
  );
  return { kind: 'disproven', why: `a probe was answered, but not by this agent ("${who}")` };
}

/** How many packets to the metadata address the guard has dropped; undefined when there is no guard or no telling. */
async function guardDrops(
  exec: Exec,
  backend: BackendName | undefined,
  metadataIp: string,
): Promise<number | undefined> {
  if (backend === undefined) return undefined;
  const args = ['-w', '5', '-t', guardPlace.table, '-v', '-S', guardPlace.name];
  const { code, stdout } = await exec(`iptables-${backend}`, args, { timeoutMs });
  if (code !== 0) return undefined;
  const drops = stdout.split('\n').filter((line) => line.includes(` -d ${metadataIp}/32 `));
  return drops.reduce((sum, line) => sum + Number(/ -c (\d+) /.exec(line)?.[1] ?? 0), 0);
}

function complaintOf({ stderr }: ExecResult): string {
  return clean(stderr.trim().split('\n').at(-1) ?? '');
}

function failure(error: unknown): string {
  return isAppError(error, 'exec-missing')
    ? `no probe can be made here: ${messageOf(error)}`
    : messageOf(error);
}
