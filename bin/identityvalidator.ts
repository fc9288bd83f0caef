import { usage } from '../lib/config/load.ts';
import { version } from '../lib/config/version.ts';
import { loadValidatorConfig, validatorFlags } from '../lib/identityvalidator/flags.ts';
import { runValidator } from '../lib/identityvalidator/validator.ts';
import { isAppError, messageOf } from '../lib/model/errors.ts';
import { systemClock as clock } from '../lib/platform/clock.ts';
import { createHttpClient, type HttpClient, type HttpProxy } from '../lib/platform/http.ts';
import { createLogger, type Logger } from '../lib/platform/log.ts';
import { azureOf } from '../lib/workload/azure.ts';
import { ownPodIn } from '../lib/workload/pod.ts';

function openHttp(origin: string, proxy: HttpProxy = { url: '', except: '' }): HttpClient {
  return createHttpClient({ origin, proxy, connections: 3, maxBytes: 1024 * 1024, clock });
}

function endSignal(log: Logger): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'told to end');
      end.abort();
    });
  }
  return end.signal;
}

/** The exit status. */
async function main(): Promise<number> {
  const config = loadValidatorConfig(process.argv.slice(2), process.env);
  if (config.help) process.stdout.write(usage('identityvalidator', validatorFlags));
  if (config.version) process.stdout.write(`identityvalidator ${version}\n`);
  if (config.help || config.version) return 0;
  const azure = await azureOf(process.env);
  const log = createLogger('text');
  const pod = ownPodIn(process.env, 'E2E_TEST_POD');
  const isSo = await runValidator({ config, azure, pod, openHttp, clock, log }, endSignal(log));
  return isSo ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`identityvalidator: ${messageOf(error)}\n`);
  process.exit(isAppError(error, 'flag-invalid') ? 2 : 1);
}
