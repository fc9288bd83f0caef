import { AppError } from '../model/errors.ts';
import type { Exec } from '../platform/exec.ts';
import type { RedirectRules } from './rules.ts';

/**
 * Deletes the conntrack entries of connections to the metadata service that are not redirected: those from before the redirect
 * stood, which nat rules never look at again. They are told by the reply's source: the metadata address itself, where a
 * redirected one has the agent's. The node's own are among them, and go on without a break (measured, Linux 6.18).
 *
 * A connection whose pod speaks next is taken for a new one, redirected, and reset by the agent's kernel, so that its client
 * connects anew. One that Azure speaks on next gets an entry that leads back there, and where `nf_conntrack_tcp_loose` is 0
 * there is no new entry at all: without the guard those go on (2 of 3 with an answer under way); in the guard they fall silent.
 *
 * Throws AppError `exec-missing`, `exec-timeout`, or `iptables-failed` with what conntrack said.
 */
export async function cutUnredirected(
  exec: Exec,
  { metadataIp, metadataPort }: Pick<RedirectRules, 'metadataIp' | 'metadataPort'>,
): Promise<void> {
  const match = ['--orig-dst', metadataIp, '--orig-port-dst', `${metadataPort}`, '--reply-src', metadataIp];
  const { code, stderr } = await exec('conntrack', ['-D', '-p', 'tcp', ...match], { timeoutMs: 5_000 });
  // It exits with 1 when there was nothing to delete (1.4.7).
  if (code === 0 || /\b0 flow entries have been deleted/.test(stderr)) return;
  throw new AppError('iptables-failed', `conntrack: ${stderr.trim().split('\n').at(-1) || `exit ${code}`}`);
}
