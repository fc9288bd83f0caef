import { version } from '../config/version.ts';
import { plain } from '../model/text.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpClient, HttpProxy } from '../platform/http.ts';
import type { Logger } from '../platform/log.ts';
import { unlessAborted } from '../platform/wait.ts';
import type { Azure } from '../workload/azure.ts';
import type { OwnPod } from '../workload/pod.ts';
import { type Check, checksOf, type Vault } from './checks.ts';
import type { ValidatorConfig } from './flags.ts';
import { vaultPlaceOf } from './key-vault.ts';

export interface ValidatorOptions {
  readonly config: ValidatorConfig;
  readonly azure: Azure;
  readonly pod: OwnPod;
  readonly openHttp: (origin: string, proxy?: HttpProxy) => HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What may pass is tried that often, with these pauses, as in the original: a new identity takes a minute. */
const attempts = 10;
const pauseMs = 10_000;

/**
 * Checks that this pod gets the tokens that it shall, and tells each result. True when all is so, or when nothing was to be
 * checked; false also when `signal` aborts before all is seen. Throws AppError `flag-invalid`.
 */
export async function runValidator(options: ValidatorOptions, signal: AbortSignal): Promise<boolean> {
  const { config, azure, pod, openHttp, clock, log } = options;
  log.info({ ...pod, version }, 'starting the identity validator');
  if (config.sleep) {
    while (!signal.aborted) await clock.sleep(3_600_000, signal);
    return true;
  }
  const vault = vaultOf(config, azure, openHttp);
  const imds = openHttp(azure.imds);
  const userAgent = `pod-identity/identityvalidator/${version}`;
  const asked = { http: imds, origin: azure.imds, userAgent };
  const checks = checksOf({ imds: asked, armAudience: `${azure.cloud.armAudience}/`, vault }, config);
  const trial = { clock, log, signal };
  try {
    const all = Promise.all(checks.map((check) => holds(check, trial)));
    const results = await unlessAborted(all, signal).catch((error: unknown) => {
      if (signal.aborted) return [false];
      throw error;
    });
    return results.every((isSo) => isSo);
  } finally {
    await Promise.all([imds.close(), vault?.http.close()]);
  }
}

function vaultOf(
  { vaultName: vault, secretName: name, secretVersion, secretValue: expected }: ValidatorConfig,
  azure: Azure,
  openHttp: ValidatorOptions['openHttp'],
): Vault | undefined {
  if (vault === '') return undefined;
  const place = vaultPlaceOf(azure, vault);
  return {
    ...place,
    http: openHttp(place.origin, azure.proxy),
    secret: { vault, name, version: secretVersion },
    expected,
  };
}

interface Trial extends Pick<ValidatorOptions, 'clock' | 'log'> {
  readonly signal: AbortSignal;
}

async function holds({ what, run }: Check, { clock, log, signal }: Trial): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const got = await run();
    if (signal.aborted) return false;
    if (got.kind === 'got') {
      log.info({}, plain(`successfully ${got.value}`));
      return true;
    }
    if (!got.passing || attempt === attempts) {
      log.error({}, plain(`failed to ${what}: ${got.why}`));
      return false;
    }
    log.info({ attempt }, plain(`cannot ${what} yet: ${got.why}`));
    await clock.sleep(pauseMs, signal);
  }
}
