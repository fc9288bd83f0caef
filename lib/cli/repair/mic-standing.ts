import type { Connection } from '../../kube/connection.ts';
import { leaseIn } from '../../kube/lease.ts';
import { Observed } from '../../kube/observed.ts';
import { originalLockIn } from '../../kube/original-lock.ts';
import { AppError } from '../../model/errors.ts';
import { podKey } from '../../model/pod.ts';
import { clean } from '../../model/text.ts';
import type { Workload } from '../agents/agent.ts';
import { Programs } from '../agents/read.ts';

/** Between two looks, ms. */
const lookMs = 1_000;
/** A lock that is held for longer is taken for a living MIC's: twice the usual lease, and some. */
const mostMs = 35_000;

export interface MicWatch {
  readonly connection: Connection;
  /** `--leader-election-namespace` and `--leader-election-name` of MIC. */
  readonly place: { readonly namespace: string; readonly name: string };
  readonly signal: AbortSignal;
  /** Told while it takes. */
  readonly progress: (line: string) => void;
}

/** A MIC, and how it is ended. */
export interface MicAtWork {
  /** Its pod, or who holds the lease; clean. */
  readonly who: string;
  /** Undefined where only the lease is known. */
  readonly pod: Pick<Workload, 'namespace' | 'name'> | undefined;
}

/**
 * The MIC that is at work or about to be, ours or the original's; undefined where none is. A pod of MIC counts, wherever its lease
 * is and also while it is not ready: what it will mend is told by its deployment alone. Else the lease tells. A holder that is alive renews its lease, and one that
 * stands still for as long as it claims is dead: no clocks are compared, and it takes up to a lease, 15 s, where one has died.
 * Throws as `Connection.json`.
 */
export async function micAtWork({
  connection,
  place,
  signal,
  progress,
}: MicWatch): Promise<MicAtWork | undefined> {
  const { clock } = connection;
  const mics = await new Programs(connection, signal).mics();
  // Whose work it is has to be known before any of it is done.
  if (mics.kind === 'untold') throw new AppError(mics.code ?? 'kube-refused', mics.why);
  const staying = mics.value.filter(({ deleting }) => !deleting);
  const pod = staying.find(({ ready }) => ready) ?? staying[0];
  if (pod) return { who: pod.ready ? podKey(pod) : `${podKey(pod)} (not ready)`, pod };
  const [door, original] = [leaseIn(connection, place), originalLockIn(connection, place)];
  const observed = new Observed();
  const began = clock.monotonic();
  let first: string | undefined;
  for (;;) {
    const record = (await door.read(signal))?.record;
    const other = await original.look(signal);
    const look = JSON.stringify(record) ?? '';
    first ??= look;
    const still = observed.stillFor(look, clock.monotonic());
    const holds = record !== undefined && record.holder !== '' && still < record.durationSeconds * 1000;
    if (!holds && other.kind === 'free') return undefined;
    const who = clean(holds ? record.holder : other.kind === 'held' ? other.by : '');
    if ((holds && look !== first) || clock.monotonic() - began >= mostMs) return { who, pod: undefined };
    progress(`looking whether MIC ${who} still renews its lease`);
    await clock.sleep(lookMs, signal);
    signal.throwIfAborted();
  }
}
