import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type HttpClient, HttpFailure } from '../platform/http.ts';
import { parse, recordOf } from './arm-error.ts';

/** A new token is asked for when less than this is left of the old one, ms; longer than any single call to ARM takes. */
const marginMs = 5 * 60_000;
const deadlineMs = 10_000;
/** After a failure nobody asks again so soon, ms: a thousand machines would, and IMDS takes 20 a second of the whole node. */
const restMs = 2_000;

export interface ArmTokenValue {
  readonly accessToken: string;
  /** Epoch seconds. */
  readonly expiresOn: number;
}

/** Asks once for a token for ARM. Rejects with AppError imds-* or entra-*. */
export type FetchArmToken = () => Promise<ArmTokenValue>;

/**
 * Hands out a token and keeps it until shortly before its end. However many ask, one call is made; one that fails is no loss
 * while the old token lasts, and without one its error is everybody's for two seconds. `refused` is a token that ARM did not take: it
 * is not handed out again.
 */
export function createArmToken(clock: Clock, fetch: FetchArmToken): (refused?: string) => Promise<string> {
  let kept: ArmTokenValue | undefined;
  let underWay: Promise<ArmTokenValue> | undefined;
  let failed: { readonly error: unknown; readonly untilMs: number } | undefined;
  const leftMs = (token: ArmTokenValue): number => token.expiresOn * 1000 - clock.now();
  const fetchOnce = (): Promise<ArmTokenValue> => {
    if (failed && clock.monotonic() < failed.untilMs) return Promise.reject(failed.error);
    underWay ??= fetch()
      .catch((error: unknown) => {
        failed = { error, untilMs: clock.monotonic() + restMs };
        throw error;
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };
  return async (refused) => {
    if (kept?.accessToken === refused) kept = undefined;
    if (kept && leftMs(kept) > marginMs) return kept.accessToken;
    try {
      kept = await fetchOnce();
    } catch (error) {
      if (!kept || leftMs(kept) <= 0) throw error;
    }
    return kept.accessToken;
  };
}

export interface ManagedIdentityOptions {
  readonly http: HttpClient;
  readonly userAgent: string;
  readonly audience: string;
  /** Client id or ARM id; '' for the machine's system-assigned identity. */
  readonly identity: string;
}

/** MIC's own managed identity, asked of IMDS. Rejects with AppError imds-*. */
export function fromImds({ http, userAgent, audience, identity }: ManagedIdentityOptions): FetchArmToken {
  const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: audience });
  if (identity !== '') query.set(identity.startsWith('/') ? 'msi_res_id' : 'client_id', identity);
  const path = `/metadata/identity/oauth2/token?${query}`;
  return async () => {
    const headers = { metadata: 'true', 'user-agent': userAgent };
    const { status, body } = await http
      .get(path, { headers, deadlineMs })
      .catch((error: unknown) => Promise.reject(unanswered(error)));
    if (status !== 200) {
      const { error_description: words } = recordOf(parse(body));
      const why = words === 'Identity not found' ? `: MIC's own identity is not on this machine` : '';
      throw new AppError('imds-refused', `IMDS answered ${status} to the request for MIC's own token${why}`, {
        status,
      });
    }
    return tokenIn(body);
  };
}

function unanswered(error: unknown): unknown {
  if (!(error instanceof HttpFailure)) return error;
  const code = error.problem === 'timeout' ? 'imds-timeout' : 'imds-unreachable';
  return new AppError(code, `IMDS gave no answer to the request for MIC's own token (${error.problem})`, {
    cause: error,
  });
}

/** The body never enters a message, since it may hold the token. */
function tokenIn(body: string): ArmTokenValue {
  const { access_token: accessToken, expires_on: expires } = recordOf(parse(body));
  const expiresOn = Number(expires);
  if (
    typeof accessToken !== 'string' ||
    accessToken === '' ||
    !Number.isSafeInteger(expiresOn) ||
    expiresOn <= 0
  )
    throw new AppError('imds-garbled', 'IMDS answered 200 without a usable access_token and expires_on');
  return { accessToken, expiresOn };
}
