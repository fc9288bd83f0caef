import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { createHandler } from '../../lib/metadata/handler.ts';
import type { UpstreamRequest } from '../../lib/metadata/pass-through.ts';
import type { Answer } from '../../lib/metadata/reply.ts';
import type { HandlerOptions, Stages, Trace } from '../../lib/metadata/stages.ts';
import type { Caller, Decision } from '../../lib/model/decision.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Pod } from '../../lib/model/pod.ts';
import type { Asker } from '../../lib/model/turn.ts';
import { FakeClock } from '../fakes/clock.ts';

export const tokenPath = '/metadata/identity/oauth2/token';
export const tokenUrl = `${tokenPath}?api-version=2018-02-01&resource=r`;
export const instance = '/metadata/instance?api-version=2021-02-01';
export const events = '/metadata/scheduledevents?api-version=2020-07-01';

export const identity: AzureIdentity = {
  namespace: 'apps',
  name: 'demo',
  type: 0,
  clientId: 'client-1',
  resourceId: '',
  namespaced: false,
  allowedNamespaces: undefined,
};
export const allow: Decision = { kind: 'allow', identity, binding: 'demo' };
export const pass: Decision = { kind: 'pass', exception: 'node-tools' };
export const deny: Decision = { kind: 'deny', why: { code: 'no-label' } };
export const wait: Decision = { kind: 'wait', why: { code: 'not-assigned', identity: 'apps/demo' } };
export const pod = { uid: '1', namespace: 'apps', name: 'web' } as Pod;
export const isPod: Caller = { kind: 'pod', pod };

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  /** The address behind the socket. */
  readonly from?: string;
}

/** Of several callers or decisions, each is given once and the last for ever. */
export interface World {
  readonly caller?: Caller | readonly Caller[];
  readonly decision?: Decision | readonly Decision[];
  readonly options?: Partial<HandlerOptions>;
  readonly token?: Stages['token'];
  readonly explain?: Stages['explain'];
}

interface Outcome {
  readonly answer: Answer;
  readonly trace: Trace;
  /** The stages in the order in which they were asked. */
  readonly stages: string[];
  readonly upstream: UpstreamRequest[];
  /** For whom tokens and object ids were asked. */
  readonly askers: Asker[];
}

/** One request through the handler, with `Metadata: true` unless its headers say otherwise. */
export async function handle(url: string, asked: Asked = {}, world: World = {}): Promise<Outcome> {
  const stages: string[] = [];
  const upstream: UpstreamRequest[] = [];
  const askers: Asker[] = [];
  const handler = createHandler(fakes(world, { stages, upstream, askers }), {
    ...{ clock: new FakeClock(1_999_999_000_000), metadataHeaderRequired: true, rejectForwardedFor: true },
    ...{ blockInstanceMetadata: false, hostToken: true, setRetryAfterHeader: false },
    patience: { usualMs: 8_000, longMs: 60_000 },
    ...world.options,
  });
  const { method = 'GET', headers = { metadata: 'true' }, body, from = '::ffff:10.0.0.5' } = asked;
  const req = Object.assign(Readable.from(body ? [body] : []), {
    ...{ method, url, headers },
    socket: { remoteAddress: from },
  }) as unknown as IncomingMessage;
  const trace: Trace = { route: 'refused' };
  const answer = await handler(req, trace, new AbortController().signal);
  return { answer, trace, stages, upstream, askers };
}

/** Stages that answer as the world says and note that they were asked. */
function fakes(
  world: World,
  { stages, upstream, askers }: Pick<Outcome, 'stages' | 'upstream' | 'askers'>,
): Stages {
  const paid = { accessToken: 'a', expiresOn: 2_000_000_000, notBefore: 0, tokenType: 'Bearer' };
  const callers = inOrder(world.caller ?? isPod);
  const decisions = inOrder(world.decision ?? allow);
  const excepted = [world.decision ?? allow].flat().find(({ kind }) => kind === 'pass');
  const note = <T>(stage: string, value: T): T => {
    stages.push(stage);
    return value;
  };
  return {
    callerOf: async (address) => note(`callerOf ${address}`, callers()),
    podNamed: async (namespace, name) => note(`podNamed ${namespace}/${name}`, callers()),
    decide: () => note('decide', decisions()),
    decideForHost: () => {
      const decision = note('decideForHost', decisions());
      if (decision.kind === 'pass') throw new Error('exceptions are not for the host to have');
      return decision;
    },
    learnObjectIds: async (_pod, resource, asker) => {
      askers.push(asker);
      note(`learnObjectIds ${resource}`, undefined);
    },
    hold: async (held, _look, ms) => note(`hold ${held.name} ${ms}`, undefined),
    exceptionOf: () => note('exceptionOf', excepted && 'node-tools'),
    explain: (...judged) => note('explain', world.explain?.(...judged) ?? 'Because.'),
    token: (wanted, resource, asker) => {
      askers.push(asker);
      note('token', undefined);
      return world.token ? world.token(wanted, resource, asker) : Promise.resolve(paid);
    },
    passThrough: async (request) => {
      upstream.push(request);
      return note('passThrough', { code: 'upstream', status: 200, headers: {}, body: 'from IMDS' });
    },
  };
}

function inOrder<T extends object>(values: T | readonly T[]): () => T {
  const left = [values].flat() as T[];
  return () => (left.length > 1 ? left.shift() : left[0]) as T;
}
