import { type AzureIdentity, identityTypes } from '../model/identity.ts';
import type { Token } from '../model/token.ts';

/** As many as the broker keeps tokens. */
const most = 4_096;

/**
 * The object ids of managed identities by client id, as their own tokens tell (`oid`). AzureIdentity has no field for it,
 * and IMDS is never asked for an id that a pod gives: it would answer for any identity of the machine.
 */
export class ObjectIds {
  readonly #known = new Map<string, string>();

  /**
   * Reads a token that its source has handed out for this identity. One without an `oid` teaches nothing, nor does one
   * that did not come from IMDS: an authority that an object's author chose could name any.
   */
  learn({ type, clientId }: AzureIdentity, { accessToken }: Token): void {
    if (type !== identityTypes.managedIdentity) return;
    const oid = claimOf(accessToken, 'oid');
    if (oid === undefined) return;
    const key = clientId.toLowerCase();
    if (this.#known.size >= most && !this.#known.has(key)) this.#known.clear();
    this.#known.set(key, oid);
  }

  of({ clientId }: AzureIdentity): string | undefined {
    return this.#known.get(clientId.toLowerCase());
  }
}

/** A claim of a JWT that came from IMDS itself, hence not verified. */
function claimOf(token: string, claim: string): string | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as unknown;
    const value = (payload as Record<string, unknown> | null)?.[claim];
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}
