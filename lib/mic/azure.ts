import { type Arm, createArm } from '../assign/arm.ts';
import { createArmToken, type FetchArmToken, fromImds } from '../assign/arm-token.ts';
import type { Home, PlanSettings } from '../assign/snapshot.ts';
import { Throttle } from '../assign/throttle.ts';
import type { CloudConfig } from '../config/cloud-config.ts';
import { Deadline } from '../kube/deadline.ts';
import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { createHttpClient, type HttpClient, type HttpProxy } from '../platform/http.ts';
import type { MicMetrics } from '../platform/mic-metrics.ts';
import { createEntra } from '../tokens/entra.ts';
import { createEntraDispatcher, createPostForm } from '../tokens/entra-http.ts';

/** Requests to ARM at once; Azure counts them by the hour. */
const armConnections = 16;
/** A scale set with everything in it. */
const maxBytes = 4 * 1024 * 1024;
/** For a token of a service principal, ms. */
const tokenMs = 15_000;
const imdsOrigin = 'http://169.254.169.254';

/** The Azure that MIC works on. */
export interface AzureSide {
  readonly arm: Arm;
  readonly home: Home;
  /** MIC's own identity, which is never taken off a machine. */
  readonly own: PlanSettings['immutable'];
  /** Breaks off whatever is under way. */
  close(): Promise<void>;
}

export interface AzureParts {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly metrics: MicMetrics;
  /** Towards ARM and Entra ID; IMDS is this machine's own, and reached by nothing but its address. */
  readonly proxy: HttpProxy;
  /** What ARM has asked for; it holds whatever the configuration is. */
  readonly throttle: Throttle;
}

export function throttleOf({ clock, metrics }: Pick<AzureParts, 'clock' | 'metrics'>): Throttle {
  return new Throttle(clock, (of, limit, left) =>
    metrics.cloudRemaining.set({ subscription: of, limit }, left),
  );
}

export function azureOf(config: CloudConfig, parts: AzureParts): AzureSide {
  const { clock, userAgent, metrics, proxy, throttle } = parts;
  const { cloud, credential, subscription, resourceGroup } = config;
  const limits = { connections: armConnections, maxBytes };
  const http = createHttpClient({ ...limits, origin: cloud.arm, proxy, clock });
  const { fetch, close } = tokenSource(config, parts);
  const arm = createArm({
    ...{ clock, http, userAgent, throttle, origin: cloud.arm, token: createArmToken(clock, fetch) },
    onCall: ({ operation, ms, status }) => {
      metrics.cloud.observe({ operation_type: operation }, ms / 1000);
      metrics.cloudCalls.inc({ operation_type: operation, status: String(status ?? 'none') });
      if (status === undefined || status >= 400) metrics.cloudErrors.inc({ operation_type: operation });
    },
  });
  return {
    arm,
    home: { subscription, resourceGroup },
    own: credential.kind === 'managed-identity' ? [credential.identity] : [],
    close: async () => void (await Promise.all([http.close(), close()])),
  };
}

interface ArmTokens {
  readonly fetch: FetchArmToken;
  close(): Promise<void>;
}

/** MIC's own token, by what the cloud configuration says that it is. */
function tokenSource({ cloud, credential }: CloudConfig, { userAgent, clock, proxy }: AzureParts): ArmTokens {
  if (credential.kind === 'managed-identity') {
    const http: HttpClient = createHttpClient({
      origin: imdsOrigin,
      connections: 1,
      maxBytes: 64 * 1024,
      clock,
    });
    const { identity } = credential;
    const fetch = fromImds({ http, userAgent, audience: cloud.armAudience, identity });
    return { fetch, close: () => http.close() };
  }
  const dispatcher = createEntraDispatcher(proxy);
  const acquire = createEntra(createPostForm(dispatcher), clock);
  const { tenant, clientId, secret } = credential;
  const fetch: FetchArmToken = async () => {
    const deadline = new Deadline(clock, undefined);
    const late = `${cloud.login} did not answer within ${tokenMs / 1000} s`;
    deadline.arm(tokenMs, () => new AppError('entra-timeout', late));
    try {
      return await acquire(
        {
          ...{ host: cloud.login, tenant, clientId, resource: cloud.armAudience },
          credential: { kind: 'secret', secret: secret() },
        },
        deadline.signal,
      );
    } finally {
      deadline.end();
    }
  };
  return { fetch, close: () => dispatcher.destroy() };
}
