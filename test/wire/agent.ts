import type { Test } from 'tap';
import { createHandler } from '../../lib/metadata/handler.ts';
import { createPassThrough } from '../../lib/metadata/pass-through.ts';
import { MetadataListener, type Served } from '../../lib/metadata/server.ts';
import type { HandlerOptions, Stages } from '../../lib/metadata/stages.ts';
import type { Caller, Decision, TokenRequest } from '../../lib/model/decision.ts';
import type { AzureIdentity } from '../../lib/model/identity.ts';
import type { Pod } from '../../lib/model/pod.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { createHttpClient } from '../../lib/platform/http.ts';
import { Broker } from '../../lib/tokens/broker.ts';
import { createImdsSource } from '../../lib/tokens/imds.ts';
import { type Imds, startImds } from '../lab/imds/imds.ts';
import { sampleIdentity } from '../lab/imds/token.ts';
import type { RequestRecord } from '../lab/imds/types.ts';
import { asked, talk } from './client.ts';

/** `bound`: to `demo`, by whatever name; `excepted`: passes as the node; `unknown`: no pod has the address. */
export type CallerKind = 'bound' | 'excepted' | 'unknown';

/** The real listener, handler, pass-through, broker and token source in front of the IMDS simulator. */
export interface Agent {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly imds: Imds;
  readonly served: readonly Served[];
  /** Whom the agent takes the test for from now on. */
  caller: CallerKind;
  /** What reached IMDS since the last time, once all that is under way has reached it; forgets it and every cached token. */
  upstream(): Promise<readonly RequestRecord[]>;
}

/** The identity that a bound pod is bound to. */
export const demo = sampleIdentity('demo');
const identity: AzureIdentity = {
  ...{ namespace: 'apps', name: 'demo', type: 0, namespaced: false, allowedNamespaces: undefined },
  ...demo,
};
/** A name that no request of a test has, to tell the request that marks the end. */
const endMark = '/metadata/loadbalancer?api-version=2020-10-01&end=1';

export async function startAgent(t: Test, options: Partial<HandlerOptions> = {}): Promise<Agent> {
  const imds = await startImds({ identities: [demo, sampleIdentity('other')] });
  t.teardown(() => imds.close());
  const state: { caller: CallerKind; broker: Broker } = { caller: 'bound', broker: brokerOf(t, imds) };
  const passThrough = createPassThrough({
    ip: imds.host,
    port: imds.port,
    clock: systemClock,
    deadlineMs: 10_000,
  });
  t.teardown(() => passThrough.close());
  const stages: Stages = {
    callerOf: async () => callerFor(state.caller),
    podNamed: async () => callerFor(state.caller),
    decide: (_pod, request) => (state.caller === 'excepted' ? excepted : decide(request)),
    decideForHost: (_pod, request) => decide(request),
    learnObjectIds: async () => undefined,
    hold: async () => undefined,
    exceptionOf: () => (state.caller === 'excepted' ? excepted.exception : undefined),
    explain: (_pod, decision) => `explained ${decision.kind}.`,
    token: (wanted, resource) => state.broker.get(wanted, resource),
    passThrough,
  };
  const served: Served[] = [];
  const handler = createHandler(stages, { ...defaults, ...options });
  const onServed = (one: Served): void => void served.push(one);
  const rate = { burst: 100_000, perSecond: 100_000 }; // a test asks faster than a pod may
  const listener = new MetadataListener(handler, { clock: systemClock, onServed, rate });
  const port = await listener.listen('127.0.0.1', 0);
  t.teardown(() => listener.close(0));
  const agent = { host: '127.0.0.1', port, imds, served } as const;
  const upstream = async (): Promise<readonly RequestRecord[]> => {
    await talk(agent, asked(endMark));
    const seen = imds.log().filter(({ target }) => target !== endMark);
    imds.clear();
    state.broker = brokerOf(t, imds);
    return seen;
  };
  return Object.defineProperty({ ...agent, upstream, caller: 'bound' as CallerKind }, 'caller', {
    get: () => state.caller,
    set: (caller: CallerKind) => {
      state.caller = caller;
    },
  });
}

const defaults: HandlerOptions = {
  clock: systemClock,
  metadataHeaderRequired: true,
  rejectForwardedFor: true,
  blockInstanceMetadata: false,
  hostToken: true,
  setRetryAfterHeader: false,
  patience: { usualMs: 8_000, longMs: 60_000 },
};

function brokerOf(t: Test, imds: Imds): Broker {
  const http = createHttpClient({ origin: imds.url, connections: 4, maxBytes: 65_536, clock: systemClock });
  t.teardown(() => http.close());
  return new Broker({
    clock: systemClock,
    sources: new Map([[0, createImdsSource(http, 'agent/test')]]),
    onPaid: () => undefined,
    onFetched: () => undefined,
    onRenewalFailed: () => undefined,
  });
}

function callerFor(kind: CallerKind): Caller {
  return kind === 'unknown' ? { kind } : { kind: 'pod', pod };
}

const excepted = { kind: 'pass', exception: 'everything' } as const;

function decide({ selector }: TokenRequest): Exclude<Decision, { kind: 'pass' }> {
  const names = { client_id: demo.clientId, object_id: demo.objectId, resource_id: demo.resourceId };
  if (selector && names[selector.by].toLowerCase() !== selector.value.toLowerCase())
    return { kind: 'deny', why: { code: 'not-bound', selector } };
  return { kind: 'allow', identity, binding: 'demo' };
}

const pod: Pod = {
  uid: 'uid-1',
  namespace: 'apps',
  name: 'web',
  node: 'node1',
  ips: ['127.0.0.1'],
  labels: { aadpodidbinding: 'demo' },
  hostNetwork: false,
  phase: 'Running',
  activity: 'running',
};
