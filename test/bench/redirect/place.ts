import type { BackendName } from '../../../lib/redirect/iptables.ts';
import { createLab, type Lab } from '../../lab/lab.ts';
import { foreignRules } from './foreign.ts';

/** A node with that many rules of others, in a lab of its own. */
export interface Place {
  readonly backend: BackendName;
  readonly foreign: number;
  readonly lab: Lab;
}

export async function setPlace(backend: BackendName, foreign: number): Promise<Place> {
  const place = { backend, foreign, lab: await createLab() };
  await setForeign(place);
  return place;
}

/** Puts the foreign rules there, unless they are. */
export async function setForeign({ backend, foreign, lab }: Place): Promise<void> {
  if (foreign === 0) return;
  const program = `iptables-${backend}`;
  const asked = await lab.onNode([program, '-w', '-t', 'nat', '-S', 'KUBE-SVC-0']);
  if (asked.code === 0) return;
  const load = [`${program}-restore`, '--noflush', '-w'];
  const { code, stderr } = await lab.onNode(load, { stdin: foreignRules(foreign) });
  if (code !== 0) throw new Error(`the foreign rules cannot be loaded: ${stderr}`);
}
