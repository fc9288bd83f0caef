import { usage } from '../lib/config/load.ts';
import { loadMicConfig } from '../lib/config/load-mic.ts';
import { type MicConfig, micFlags } from '../lib/config/mic-flags.ts';
import { version } from '../lib/config/version.ts';
import { type MicOptions, runMic } from '../lib/mic.ts';
import { isAppError, messageOf } from '../lib/model/errors.ts';
import { endSignal } from '../lib/platform/end-signal.ts';
import { createLogger, type Logger } from '../lib/platform/log.ts';

function kubeSource(config: MicConfig): MicOptions['kube'] {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '' } = process.env;
  const path = config.kubeconfig || KUBECONFIG;
  if (path) return { kind: 'kubeconfig', path };
  return { kind: 'in-cluster', host: KUBERNETES_SERVICE_HOST, port: KUBERNETES_SERVICE_PORT };
}

function ending(log: Logger): AbortSignal {
  return endSignal(log, (why) => {
    log.error({ why }, 'ended before the lease was given up; it runs out');
    process.exit(1);
  });
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
    await runMic({ config, kube: kubeSource(config), env: process.env, log, signal: ending(log) });
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
