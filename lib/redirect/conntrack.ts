import { AppError } from '../model/errors.ts';
import type { Exec } from '../platform/exec.ts';
import type { RedirectRules } from './rules.ts';

/**
 * Ends connections to the metadata service that are not redirected: those from before the redirect stood, which nat rules
 * never touch again. They are told by the reply's source: the metadata address itself, where a redirected one has the
 * agent's. Throws AppError `exec-missing`, `exec-timeout`, or `iptables-failed` with what conntrack said.
 */
export async function cutUnredirected(
  exec: Exec,
  { metadataIp, metadataPort }: RedirectRules,
): Promise<void> {
  const match = ['--orig-dst', metadataIp, '--orig-port-dst', `${metadataPort}`, '--reply-src', metadataIp];
  const { code, stderr } = await exec('conntrack', ['-D', '-p', 'tcp', ...match], { timeoutMs: 5_000 });
  // It exits with 1 when there was nothing to delete (1.4.7).
  if (code === 0 || /\b0 flow entries have been deleted/.test(stderr)) return;
  throw new AppError('iptables-failed', `conntrack: ${stderr.trim().split('\n').at(-1) || `exit ${code}`}`);
}
