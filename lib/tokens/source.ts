import type { AzureIdentity } from '../model/identity.ts';
import type { Token } from '../model/token.ts';

/**
 * Where tokens of one identity type come from. `credential` names what the identity proves itself with, so that nobody
 * gets from the cache what he could not have got with the credential that he names: '' for managed identities, which the
 * machine itself vouches for. Rejects with AppError imds-* .
 */
export interface TokenSource {
  readonly authority: string;
  credential(identity: AzureIdentity): string;
  fetch(identity: AzureIdentity, resource: string): Promise<Token>;
}
