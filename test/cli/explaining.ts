import type { Test } from 'tap';
import type { Fault } from '../lab/kube/faults.ts';
import type { KubeInput } from '../lab/kube/object.ts';
import { type Called, cliRig } from './rig.ts';
import { put } from './scene.ts';

/** How every one of these tests asks. */
export const asked = ['explain', 'pod/web', '-n', 'apps'];

export interface Asking {
  readonly args?: readonly string[];
  readonly fault?: Fault;
  /** With whose rights; see rig.ts. */
  readonly token?: string;
}

/** What podid says of pod apps/web in this cluster. */
export async function explained(
  t: Test,
  cluster: readonly KubeInput[],
  { args = [], fault, token }: Asking = {},
): Promise<Called> {
  const { api, podid } = await cliRig(t);
  put(api, cluster);
  if (fault) await api.fault(fault);
  return podid([...asked, ...args], token === undefined ? {} : { token });
}

/** Each line is there, from its sign on, in this order. */
export function hasLines(t: Test, { stdout }: Called, lines: readonly string[]): void {
  const all = stdout.split('\n');
  const found = lines.map((line) => all.findIndex((each) => each.startsWith(line)));
  const inOrder = found.every((at, i) => at >= 0 && at > (found[i - 1] ?? -1));
  t.ok(inOrder, `${JSON.stringify(lines)} in\n${stdout}`);
}
