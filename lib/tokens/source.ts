import type { AzureIdentity } from '../model/identity.ts';
import type { Token } from '../model/token.ts';
import type { Asker, Leave } from '../model/turn.ts';

/**
 * Where tokens of one identity type come from. `authority` and `credential` name whom it asks and what the identity proves
 * itself with, so that nobody gets from the cache what he could not have got with the credential that he names: '' for
 * managed identities, which the machine itself vouches for; both may throw. `fetch` rejects with AppError imds-*, credential-* or
 * entra-*.
 */
export interface TokenSource {
  authority(identity: AzureIdentity): string;
  credential(identity: AzureIdentity): string;
  fetch(identity: AzureIdentity, resource: string): Promise<Token>;
  /** Waits for a turn, where the source limits its callers. Rejects with AppError `imds-busy`. */
  readonly enter?: EnterSource;
}

export type EnterSource = (asker: Asker, signal: AbortSignal) => Promise<Leave>;
