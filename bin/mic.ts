import { usage } from '../lib/config/load.ts';
import { loadMicConfig } from '../lib/config/load-mic.ts';
import { type MicConfig, micFlags } from '../lib/config/mic-flags.ts';
import { version } from '../lib/config/version.ts';
import { type MicOptions, runMic } from '../lib/mic.ts';
import { isAppError, messageOf } from '../lib/model/errors.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { createLogger, type Logger } from '../lib/platform/log.ts';

/** After the first signal; what is under way and the lease take a few seconds at most. */
const lastMs = 20_000;

function kubeSource(config: MicConfig): MicOptions['kube'] {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '' } = process.env;
  const path = config.kubeconfig || KUBECONFIG;
  if (path) return { kind: 'kubeconfig', path };
  return { kind: 'in-cluster', host: KUBERNETES_SERVICE_HOST, port: KUBERNETES_SERVICE_PORT };
}

/** Aborts at the first SIGTERM or SIGINT; the second, or the end of the time, ends the process at once. */
function endSignal(log: Logger): AbortSignal {
  const end = new AbortController();
  const cut = (why: string): never => {
    log.error({ why }, 'ended before the lease was given up; it runs out');
    process.exit(1);
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) cut(`a second ${name}`);
      log.info({ signal: name }, 'told to end');
      end.abort();
      systemClock.after(lastMs, () => cut(`it took longer than ${lastMs} ms`));
    });
  }
  return end.signal;
}

async function main(): Promise<number> {
  const config = loadMicConfig(process.argv.slice(2), process.env);
  if (config.help) {
    process.stdout.write(usage('mic', micFlags));
    return 0;
  }
  if (config.version) {
    // The original's line, which scripts take apart.
    process.stdout.write(
      `MIC Version: ${version} - NMI Version: ${version} - Node: ${process.versions.node}\n`,
    );
    return 0;
  }
  const log = createLogger(config.logFormat, { level: config.verbosity >= 4 ? 'debug' : 'info' });
  try {
    await runMic({ config, kube: kubeSource(config), env: process.env, log, signal: endSignal(log) });
    return 0;
  } catch (error) {
    log.error(
      { code: isAppError(error) ? error.code : 'internal', why: messageOf(error) },
      'ended by an error',
    );
    throw error;
  }
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`mic: ${messageOf(error)}\n`);
  process.exit(isAppError(error, 'flag-invalid') ? 2 : 1);
}
