import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { type HttpClient, HttpFailure, type HttpRequest, type HttpResponse } from '../platform/http.ts';
import { armErrorIn, wordsOf } from './arm-error.ts';
import type { Machine } from './machine.ts';
import type { Throttle } from './throttle.ts';

/** ARM gives up on a request itself after 60 s. */
const deadlineMs = 65_000;

/** For the metrics; by the original's names. `poll`: of an operation under way. */
export type ArmOperation = 'vm_get' | 'vm_update' | 'vmss_get' | 'vmss_update' | 'poll';

/** One request, for log and metrics. */
export interface ArmCall {
  readonly operation: ArmOperation;
  readonly machine: Machine;
  readonly ms: number;
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  /** What Azure's support asks for. */
  readonly correlationId: string;
}

export interface ArmCallerOptions {
  readonly clock: Clock;
  readonly http: HttpClient;
  /** A token for ARM; never the one that is `refused`. */
  readonly token: (refused?: string) => Promise<string>;
  readonly userAgent: string;
  readonly throttle: Throttle;
  readonly onCall?: (call: ArmCall) => void;
}

/** What is asked, and about which machine. */
export interface ArmQuestion extends Pick<HttpRequest, 'method' | 'path' | 'body'> {
  readonly operation: ArmOperation;
  readonly machine: Machine;
  readonly correlationId: string;
  /** Once it has aborted nothing is sent; what is on its way is waited for. */
  readonly signal?: AbortSignal;
}

/**
 * One question to ARM with a token, within the limits that it has set. Gives the answer of any status below 400; rejects with
 * AppError arm-unreachable, arm-timeout, arm-throttled or arm-refused, as `token` does, and with the signal's reason.
 */
export class ArmCaller {
  readonly #options: ArmCallerOptions;

  constructor(options: ArmCallerOptions) {
    this.#options = options;
  }

  async ask(question: ArmQuestion): Promise<HttpResponse> {
    const token = await this.#options.token();
    const first = await this.#send(question, token);
    // It may have been revoked before its time.
    const again = first.status === 401 ? await this.#options.token(token) : token;
    const response = again === token ? first : await this.#send(question, again);
    if (response.status >= 400) throw refusal(question, response, this.#options.throttle);
    return response;
  }

  async #send(
    { operation, machine, correlationId, signal, ...sent }: ArmQuestion,
    token: string,
  ): Promise<HttpResponse> {
    const { clock, http, userAgent, throttle, onCall } = this.#options;
    signal?.throwIfAborted();
    if (throttle.waitMs(machine) > 0) throw throttled(machine, throttle);
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      'user-agent': userAgent,
      'x-ms-correlation-request-id': correlationId,
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const started = clock.monotonic();
    let status: number | undefined;
    try {
      const response = await http.send({ ...sent, headers, deadlineMs });
      status = response.status;
      throttle.note(machine, response);
      // Answers go into errors; ARM repeats no token, and nobody else shall.
      return { ...response, body: response.body.replaceAll(token, 'TOKEN') };
    } catch (error) {
      throw unanswered(error, sent.method);
    } finally {
      onCall?.({ operation, machine, ms: clock.monotonic() - started, status, correlationId });
    }
  }
}

/** For a person: `scale set NAME`. */
export function named({ kind, name }: Machine): string {
  return `${kind === 'vm' ? 'VM' : 'scale set'} ${name}`;
}

function refusal({ method, machine }: ArmQuestion, response: HttpResponse, throttle: Throttle): AppError {
  if (throttle.waitMs(machine) > 0) return throttled(machine, throttle);
  const { status, body, retryAfter } = response;
  const error = armErrorIn(body);
  const words = wordsOf(error);
  const message = `Azure Resource Manager answered ${status} ${error.code} to the ${method} of ${named(machine)}`;
  return new AppError('arm-refused', words === '' ? message : `${message}: ${words}`, {
    ...{ status, retryAfter },
    answer: { status, body },
  });
}

/** Retry-After is how long is left, in whole seconds. */
function throttled(machine: Machine, throttle: Throttle): AppError {
  const seconds = Math.max(1, Math.ceil(throttle.waitMs(machine) / 1000));
  const message = `Azure Resource Manager limits how often it is asked about ${named(machine)}; again in ${seconds} s`;
  return new AppError('arm-throttled', message, { status: 429, retryAfter: String(seconds) });
}

function unanswered(error: unknown, method: string): unknown {
  if (!(error instanceof HttpFailure)) return error;
  const whom = `Azure Resource Manager`;
  if (error.problem === 'timeout')
    return new AppError('arm-timeout', `${whom} did not answer a ${method} within ${deadlineMs / 1000} s`, {
      cause: error,
    });
  const what =
    error.problem === 'too-large' ? 'sent an answer that is too large' : 'cannot be reached, or broke off';
  return new AppError('arm-unreachable', `${whom} ${what}`, { cause: error });
}
