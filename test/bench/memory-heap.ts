import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../lab/eventually.ts';

/** V8's format: `nodes` holds `node_fields.length` numbers for each node, one after the other. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly unknown[] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** How many there are of one kind, and how large they are by themselves, bytes. */
export interface Kept {
  readonly count: number;
  readonly bytes: number;
}

/** What is retained, by kind: `object Pool`, `closure run`; strings, arrays and code by their type alone. */
export type Heap = ReadonlyMap<string, Kept>;

/** For a process started with this in NODE_OPTIONS. */
export const snapshotOptions = (folder: string): string =>
  `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;

/** What is left in the heap of the process after a full garbage collection. `folder` holds nothing else that ends so. */
export async function heapOf(pid: number, folder: string): Promise<Heap> {
  process.kill(pid, 'SIGUSR2');
  const find = (): string | undefined => readdirSync(folder).find((name) => name.endsWith('.heapsnapshot'));
  // It is written piece by piece, and is JSON only when it is whole.
  const snapshot = await eventually(
    'the heap is written',
    () => {
      const name = find();
      return name === undefined
        ? undefined
        : (JSON.parse(readFileSync(join(folder, name), 'utf8')) as Snapshot);
    },
    { withinMs: 60_000, everyMs: 500 },
  );
  rmSync(join(folder, find() ?? ''));
  return heapIn(snapshot);
}

const named = new Set(['object', 'closure', 'native']);

function heapIn({ snapshot, nodes, strings }: Snapshot): Heap {
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [typeAt, nameAt, sizeAt] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field));
  const typeNames = types[typeAt ?? 0] as readonly string[];
  const heap = new Map<string, { count: number; bytes: number }>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const type = typeNames[nodes[at + (typeAt ?? 0)] ?? 0] ?? '';
    const kind = named.has(type) ? `${type} ${strings[nodes[at + (nameAt ?? 0)] ?? 0]}` : type;
    const kept = heap.get(kind) ?? { count: 0, bytes: 0 };
    kept.count += 1;
    kept.bytes += nodes[at + (sizeAt ?? 0)] ?? 0;
    heap.set(kind, kept);
  }
  return heap;
}

export interface Growth extends Kept {
  readonly kind: string;
}

/** What there is more of after than before, most bytes first. */
export function growthOf(before: Heap, after: Heap): Growth[] {
  const none = { count: 0, bytes: 0 };
  const all = [...after].map(([kind, { count, bytes }]) => {
    const had = before.get(kind) ?? none;
    return { kind, count: count - had.count, bytes: bytes - had.bytes };
  });
  return all.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
}

export function bytesIn(heap: Heap): number {
  return [...heap.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}
