import { AppError, isAppError, messageOf } from '../model/errors.ts';
import type { Exec } from '../platform/exec.ts';
import { installText } from './compare.ts';
import { type BackendName, complaint, createIptables, type Iptables, isPassing } from './iptables.ts';
import { guardPlace, type OwnChain, redirectPlace, type Table } from './rules.ts';

export type BackendChoice = 'auto' | BackendName;

/** Reads a file of /proc as text. Throws what `node:fs` throws. */
export type ReadFile = (path: string) => Promise<string>;

/** What was found of one backend. `rules`: those of others in nat and mangle. */
export type BackendFacts =
  | { readonly usable: false; readonly why: string }
  | { readonly usable: true; readonly kube: boolean; readonly rules: number };

const bothTables: ReadonlySet<Table> = new Set(['nat', 'mangle']);

/** Chains by which kubelet and kube-proxy show which backend they use (iptables-wrappers looks for the same two). */
const kubeChain = /^-N KUBE-(IPTABLES-HINT|KUBELET-CANARY)$/;

/** The choice, as a value, from what was found. */
export function decideBackend(
  choice: BackendChoice,
  facts: Readonly<Record<BackendName, BackendFacts>>,
): { readonly backend: BackendName; readonly why: string } | { readonly refused: string } {
  if (choice !== 'auto') {
    const named = facts[choice];
    return named.usable ? { backend: choice, why: 'it was asked for' } : { refused: named.why };
  }
  const usable = (['nft', 'legacy'] as const).flatMap((backend) => {
    const found = facts[backend];
    return found.usable ? [{ backend, ...found }] : [];
  });
  const [first] = usable;
  if (!first)
    return {
      refused: Object.values(facts)
        .map((found) => ('why' in found ? found.why : ''))
        .join('; '),
    };
  const kube = usable.find((found) => found.kube);
  if (kube) return { backend: kube.backend, why: 'it holds the chains of kubelet or kube-proxy' };
  const ruled = usable.find((found) => found.rules > 0);
  if (ruled) return { backend: ruled.backend, why: 'it holds rules' };
  return {
    backend: first.backend,
    why: usable.length === 1 ? 'the other is not usable' : 'neither holds rules',
  };
}

/**
 * Chooses the backend and proves by a dry run that it takes our rules. Throws AppError `iptables-unusable` when it never
 * will, `iptables-failed` when it could not be told this time.
 */
export async function chooseBackend(options: {
  readonly exec: Exec;
  readonly readFile: ReadFile;
  readonly choice: BackendChoice;
  readonly chains: readonly OwnChain[];
}): Promise<{ readonly iptables: Iptables; readonly why: string }> {
  const { exec, readFile, choice, chains } = options;
  // A choice that was made is not held up by a lock of the other.
  const look = async (backend: BackendName): Promise<BackendFacts> =>
    choice === 'auto' || choice === backend
      ? inspect(exec, backend, readFile)
      : { usable: false, why: `iptables-${backend} was not asked for` };
  const facts = { nft: await look('nft'), legacy: await look('legacy') };
  const decided = decideBackend(choice, facts);
  if ('refused' in decided) throw unusable(decided.refused);
  const iptables = createIptables(exec, decided.backend);
  await probe(iptables, chains);
  return { iptables, why: decided.why };
}

/** Which tables of a backend can be asked about without creating them: nft all, legacy those that the kernel lists. */
export async function askableTables(backend: BackendName, readFile: ReadFile): Promise<ReadonlySet<Table>> {
  if (backend === 'nft') return bothTables;
  try {
    const listed = (await readFile('/proc/net/ip_tables_names')).split('\n');
    return new Set([...bothTables].filter((table) => listed.includes(table)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Without the legacy module there is no such file.
    if (code === 'ENOENT') return new Set();
    if (code === 'EACCES') throw unusable(messageOf(error));
    throw new AppError('iptables-failed', messageOf(error), { cause: error });
  }
}

/** True when the backend's programs are there. */
export async function isInstalled(exec: Exec, backend: BackendName): Promise<boolean> {
  try {
    await exec(`iptables-${backend}-restore`, ['--version'], { timeoutMs: 5_000 });
    return true;
  } catch (error) {
    if (isAppError(error, 'exec-missing')) return false;
    throw error;
  }
}

async function inspect(exec: Exec, backend: BackendName, readFile: ReadFile): Promise<BackendFacts> {
  if (!(await isInstalled(exec, backend)))
    return { usable: false, why: `iptables-${backend} is not installed` };
  const iptables = createIptables(exec, backend);
  let kube = false;
  let rules = 0;
  for (const table of await askableTables(backend, readFile)) {
    const listed = await iptables.list(table);
    if (listed.kind === 'unknown') {
      const why = `iptables-${backend}: ${listed.why}`;
      if (listed.passing) throw new AppError('iptables-failed', why);
      return { usable: false, why };
    }
    if (listed.kind === 'lines') {
      kube ||= listed.lines.some((line) => kubeChain.test(line));
      rules += listed.lines.filter(isForeign).length;
    } else {
      // Somebody else's rules make the table unprintable as a whole; single chains still print.
      kube ||= await holdsKubeChain(iptables, table);
      rules += 1;
    }
  }
  return { usable: true, kube, rules };
}

async function holdsKubeChain(iptables: Iptables, table: Table): Promise<boolean> {
  for (const name of ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY']) {
    if ((await iptables.list(table, name)).kind === 'lines') return true;
  }
  return false;
}

function isForeign(line: string): boolean {
  if (!line.startsWith('-A ')) return false;
  return !line.split(' ').some((word) => word === redirectPlace.name || word === guardPlace.name);
}

async function probe(iptables: Iptables, chains: readonly OwnChain[]): Promise<void> {
  const result = await iptables.dryRun(chains.map(installText).join(''));
  if (result.code === 0) return;
  const found = `iptables-${iptables.backend}: ${complaint(result)}`;
  throw isPassing(result) ? new AppError('iptables-failed', found) : unusable(found);
}

function unusable(found: string): AppError {
  return new AppError(
    'iptables-unusable',
    `cannot redirect metadata requests: found "${found}"; needed: iptables-nft or iptables-legacy, root with NET_ADMIN and NET_RAW, and the kernel's conntrack match and DNAT target`,
  );
}
