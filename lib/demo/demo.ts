import { version } from '../config/version.ts';
import { plain } from '../model/text.ts';
import type { Clock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http.ts';
import type { Logger } from '../platform/log.ts';
import { unlessAborted } from '../platform/wait.ts';
import type { Azure } from '../workload/azure.ts';
import type { OwnPod } from '../workload/pod.ts';
import { type DemoConfig, pauseOf } from './flags.ts';
import { type RoundOptions, round } from './round.ts';

export interface DemoOptions {
  readonly config: DemoConfig;
  readonly azure: Azure;
  readonly pod: OwnPod;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A page of ARM's list of VMs. */
const largest = 16 * 1024 * 1024;

/** Goes round after round until `signal` aborts; then it ends at once, also in the middle of a request. Never ends by failures. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { config, azure, clock, log } = options;
  const userAgent = `pod-identity/demo/${version}`;
  const limits = { connections: 1, maxBytes: largest, clock };
  const imds = createHttpClient({ origin: azure.imds, ...limits });
  const arm = createHttpClient({ origin: azure.cloud.arm, proxy: azure.proxy, ...limits });
  try {
    tellStart(options);
    const asked: RoundOptions = {
      imds: { http: imds, origin: azure.imds, userAgent },
      arm: { http: arm, origin: azure.cloud.arm, userAgent },
      armAudience: `${azure.cloud.armAudience}/`,
      resource: config.resource || `${azure.cloud.armAudience}/`,
      clientId: config.clientId,
      group: config.subscriptionId && config.resourceGroup ? config : undefined,
    };
    while (!signal.aborted) {
      await tell(round(asked), log, signal);
      await clock.sleep(pauseOf(config), signal);
    }
  } finally {
    await Promise.all([imds.close(), arm.close()]);
  }
}

async function tell(lines: ReturnType<typeof round>, log: Logger, signal: AbortSignal): Promise<void> {
  for (;;) {
    const next = await unlessAborted(lines.next(), signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (!next || next.done) return;
    log[next.value.level]({}, plain(next.value.text));
  }
}

function tellStart({ config, pod, log }: DemoOptions): void {
  log.info({ ...pod, version }, 'starting the demo');
  const { subscriptionId, resourceGroup, clientId } = config;
  if (subscriptionId === '' || resourceGroup === '')
    log.info({}, 'counts no VMs: that takes --subscriptionid and --resourcegroup');
  if (clientId === '') log.info({}, 'asks for no token by client id: that takes --clientid');
}
