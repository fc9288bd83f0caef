import type { Clock } from '../../../lib/platform/clock.ts';
import { claimsOf } from '../imds/token.ts';
import type { Azure } from './azure.ts';
import type { Book } from './book.ts';
import { Limits } from './limits.ts';
import { vmsAt } from './listing.ts';
import type { Refusal } from './refusals.ts';
import * as refusals from './refusals.ts';
import type { ArmFault } from './types.ts';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly authorization: string;
  /** The PATCH is taken and ends so. */
  readonly fails: Extract<ArmFault, { kind: 'fails' }> | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const machinePath =
  /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/providers\/microsoft\.compute\/(virtualmachines|virtualmachinescalesets)\/([^/]+)$/i;
const operationPath =
  /^\/subscriptions\/([^/]+)\/providers\/microsoft\.compute\/locations\/westeurope\/(operations|results)\/([^/]+)$/i;

/** ARM's rules, in its order: version, token, limits, then the resource. */
export class Answers {
  readonly #azure: Azure;
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #limits: Limits;

  constructor(azure: Azure, book: Book, clock: Clock) {
    this.#azure = azure;
    this.#book = book;
    this.#clock = clock;
    this.#limits = new Limits(clock);
  }

  answer(asked: Asked): Answer {
    const path = decodeURIComponent(asked.url.pathname);
    const refused = this.#refuse(asked);
    if (refused) return refuse(refused);
    const subscription = path.split('/')[2] ?? '';
    const kind = asked.method === 'GET' ? 'reads' : 'writes';
    const taken = this.#limits.take(subscription, kind, this.#book.settings.limits[subscription]);
    const headers: Record<string, string> = taken
      ? { [`x-ms-ratelimit-remaining-subscription-${kind}`]: String(taken.left) }
      : {};
    const answer =
      taken?.waitSec === undefined
        ? this.#resource(asked, path)
        : refuse(refusals.limited(subscription, taken.waitSec));
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }

  #refuse({ url, authorization }: Asked): Refusal | undefined {
    if (!url.searchParams.has('api-version')) return refusals.noVersion;
    if (!authorization.startsWith('Bearer ')) return refusals.noToken;
    const claims = claimsIn(authorization);
    const audience = String(claims.aud).replace(/\/$/, '');
    const isGood =
      this.#book.settings.audiences.includes(audience) && Number(claims.exp) * 1000 > this.#clock.now();
    return isGood ? undefined : refusals.badToken;
  }

  #resource(asked: Asked, path: string): Answer {
    const [, subscription = '', place, id = ''] = operationPath.exec(path) ?? [];
    if (place) return this.#operation(id, place === 'results');
    const [, sub = subscription, group = '', type = '', name = ''] = machinePath.exec(path) ?? [];
    const listed = asked.method === 'GET' ? vmsAt(path, this.#azure) : undefined;
    if (listed) return { status: 200, body: JSON.stringify(listed) };
    if (!this.#azure.has(sub)) return refuse(refusals.noSubscription(sub));
    const resource = this.#azure.resource(path);
    if (!resource) return refuse(refusals.noMachine(type, name, group));
    if (asked.method === 'GET') return { status: 200, body: JSON.stringify(resource) };
    return this.#patch(asked, path, sub);
  }

  #patch({ url, body, fails }: Asked, path: string, subscription: string): Answer {
    const { operationMs, style } = this.#book.settings;
    const begun = this.#azure.patch(path, body, operationMs, fails);
    if (typeof begun !== 'string') return refuse(begun);
    const at = (place: string): string =>
      `${url.origin}/subscriptions/${subscription}/providers/Microsoft.Compute/locations/westeurope/${place}/${begun}?api-version=2019-12-01`;
    const resource = JSON.stringify(this.#azure.resource(path));
    if (style === 'machine') return { status: 200, body: resource };
    if (style === 'location')
      return { status: 202, body: '', headers: { location: at('results'), ...this.#pause() } };
    return {
      status: 200,
      body: resource,
      headers: { 'azure-asyncoperation': at('operations'), ...this.#pause() },
    };
  }

  #operation(id: string, asResult: boolean): Answer {
    const operation = this.#azure.operation(id);
    if (!operation) return refuse(refusals.noOperation);
    const { status, error, machine } = operation;
    const isOver = status !== 'InProgress';
    const headers = isOver ? {} : this.#pause();
    if (!asResult)
      return {
        status: 200,
        body: JSON.stringify({ name: id, status, ...(isOver && error ? { error } : {}) }),
        headers,
      };
    if (!isOver) return { status: 202, body: '', headers };
    return error
      ? refuse({ status: 400, ...error })
      : { status: 200, body: JSON.stringify(this.#azure.resource(machine)) };
  }

  #pause(): Record<string, string> {
    const { retryAfter } = this.#book.settings;
    return retryAfter === null ? {} : { 'retry-after': retryAfter };
  }
}

export function refuse(refusal: Refusal): Answer {
  return { status: refusal.status, body: refusals.bodyOf(refusal), headers: refusal.headers ?? {} };
}

/** None for what is no token. */
export function claimsIn(authorization: string): Readonly<Record<string, unknown>> {
  try {
    return claimsOf(authorization.slice('Bearer '.length));
  } catch {
    return {};
  }
}
