import { loadNmiConfig, usage } from '../lib/config/load.ts';
import { nmiFlags } from '../lib/config/nmi-flags.ts';
import { version } from '../lib/config/version.ts';
import { isAppError, messageOf } from '../lib/model/errors.ts';
import { type NmiOptions, runNmi } from '../lib/nmi.ts';
import { endSignal } from '../lib/platform/end-signal.ts';
import { createLogger, type Logger } from '../lib/platform/log.ts';

function kubeSource(): NmiOptions['kube'] {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '' } = process.env;
  if (KUBECONFIG) return { kind: 'kubeconfig', path: KUBECONFIG };
  return { kind: 'in-cluster', host: KUBERNETES_SERVICE_HOST, port: KUBERNETES_SERVICE_PORT };
}

function ending(log: Logger): AbortSignal {
  return endSignal(log, (why) => {
    log.error({ why, cure: 'run bin/cleanup-iptables on this node' }, 'ended before the rules were out');
    process.exit(1);
  });
}

async function main(): Promise<number> {
  const config = loadNmiConfig(process.argv.slice(2), process.env);
  if (config.help) {
    process.stdout.write(usage('nmi', nmiFlags));
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
    await runNmi({ config, kube: kubeSource(), log, signal: ending(log) });
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
  process.stderr.write(`nmi: ${messageOf(error)}\n`);
  process.exit(isAppError(error, 'flag-invalid') ? 2 : 1);
}
