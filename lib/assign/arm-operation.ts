import { AppError, isAppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpResponse } from '../platform/http.ts';
import { retryAfterMs } from '../platform/retry-after.ts';
import { armErrorIn, parse, recordOf, wordsOf } from './arm-error.ts';

/** Between two looks where ARM does not say; as in the original. */
const usualMs = 5_000;
const mostMs = 60_000;
/** Changes of large scale sets take minutes. */
const deadlineMs = 30 * 60_000;

/** How an operation under way is looked at. */
export interface OperationDoors {
  readonly clock: Clock;
  /** An operation that is kept elsewhere is not asked: the token would go there. */
  readonly origin: string;
  /** GETs a path of that origin. Rejects with AppError arm-*. */
  readonly look: (path: string) => Promise<HttpResponse>;
  /** The machine itself. */
  readonly machinePath: string;
  /** For a person. */
  readonly name: string;
  /** How long ARM does not want to be asked, ms. */
  readonly waitMs: () => number;
}

/**
 * Follows what ARM has begun to its end, by the address that it gave: `Azure-AsyncOperation`, else `Location`, else by the
 * machine. Rejects with AppError arm-failed when it ends badly, arm-timeout when it does not end in 30 minutes, arm-refused,
 * and with the signal's reason.
 */
export async function followOperation(
  begun: HttpResponse,
  doors: OperationDoors,
  signal: AbortSignal,
): Promise<void> {
  const until = doors.clock.monotonic() + deadlineMs;
  let address = addressIn(begun, doors);
  let seen = begun;
  let over = address.by === 'machine' && isOver(begun, address, doors.name);
  while (!over) {
    await pause(seen, doors, signal);
    if (doors.clock.monotonic() > until) throw late(doors.name);
    try {
      seen = await doors.look(address.at);
      over = isOver(seen, address, doors.name);
    } catch (error) {
      // An operation is forgotten a while after its end. The machine knows what came of it.
      if (isAppError(error, 'arm-refused') && error.status === 404 && address.by !== 'machine')
        address = { at: doors.machinePath, by: 'machine' };
      else if (!isPassing(error)) throw error;
    }
  }
}

/** Where to look, and how to read what is seen there. */
interface Address {
  readonly at: string;
  readonly by: 'operation' | 'location' | 'machine';
}

function addressIn({ status, headers }: HttpResponse, { origin, machinePath }: OperationDoors): Address {
  const operation = pathOf(headers['azure-asyncoperation'], origin);
  if (operation !== undefined) return { at: operation, by: 'operation' };
  const location = status === 200 ? undefined : pathOf(headers.location, origin);
  return location === undefined ? { at: machinePath, by: 'machine' } : { at: location, by: 'location' };
}

function pathOf(address: string | undefined, origin: string): string | undefined {
  const url = address === undefined ? null : URL.parse(address);
  return url?.origin === origin ? url.pathname + url.search : undefined;
}

/** Throws when it has ended badly. */
function isOver(seen: HttpResponse, { by }: Address, name: string): boolean {
  const body = recordOf(parse(seen.body));
  if (by === 'location') return seen.status !== 202;
  const state = by === 'operation' ? body.status : recordOf(body.properties).provisioningState;
  // What is not an answer about an operation does not end it; a machine may have no state.
  if (state === undefined) return by === 'machine' && seen.status !== 202;
  if (/^(failed|canceled)$/i.test(String(state))) throw failure(name, String(state), seen);
  return /^succeeded$/i.test(String(state));
}

/** As long as ARM asks for, and not longer than a minute, unless it limits us. */
async function pause(
  { retryAfter }: HttpResponse,
  { clock, waitMs }: OperationDoors,
  signal: AbortSignal,
): Promise<void> {
  const asked = retryAfterMs(retryAfter, clock.now()) ?? usualMs;
  await clock.sleep(Math.max(Math.min(Math.max(asked, 1000), mostMs), waitMs()), signal);
  signal.throwIfAborted();
}

/** The operation goes on whether it is seen or not, also when there is no token to look with. */
function isPassing(error: unknown): boolean {
  if (!isAppError(error)) return false;
  if (error.code === 'arm-failed') return false;
  return error.code !== 'arm-refused' || (error.status ?? 0) >= 500 || error.status === 408;
}

function failure(name: string, state: string, { status, body }: HttpResponse): AppError {
  const error = armErrorIn(body);
  const words = wordsOf(error);
  const message = `the change of ${name} ended as ${state} with ${error.code}`;
  return new AppError('arm-failed', words === '' ? message : `${message}: ${words}`, {
    answer: { status, body },
  });
}

function late(name: string): AppError {
  return new AppError(
    'arm-timeout',
    `the change of ${name} has not ended within ${deadlineMs / 60_000} minutes`,
  );
}
