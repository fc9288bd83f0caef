import type { IncomingHttpHeaders } from 'node:http';
import type { Test } from 'tap';
import {
  createPassThrough,
  type PassThrough,
  type UpstreamRequest,
} from '../../lib/metadata/pass-through.ts';
import type { Answer } from '../../lib/metadata/reply.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from '../lab/eventually.ts';
import { type Play, startUpstream, type Upstream } from './upstream.ts';

export const deadlineMs = 10_000;
export const never = new AbortController().signal;

export interface Setting {
  readonly upstream: Upstream;
  readonly clock: FakeClock;
  readonly pass: PassThrough;
}

export async function start(t: Test, play: Play): Promise<Setting> {
  const upstream = await startUpstream(t, play);
  const clock = new FakeClock();
  const pass = createPassThrough({ ip: upstream.ip, port: upstream.port, clock, deadlineMs });
  t.teardown(() => pass.close());
  return { upstream, clock, pass };
}

export function get(
  headers: IncomingHttpHeaders = {},
  path = '/metadata/versions',
  query = '',
): UpstreamRequest {
  const asker = { who: 'apps/web', until: 8_000 };
  return { method: 'GET', path, query, headers, body: Buffer.alloc(0), kind: 'pass', asker };
}

/** Until the upstream has the n-th connection's first request. */
export function heard({ upstream }: Setting, connections = 1): Promise<boolean> {
  return eventually('it is heard', () => (upstream.heard[connections - 1]?.length ?? 0) > 0);
}

export function textOf({ body }: Answer): string {
  return String(body);
}
