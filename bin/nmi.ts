import { loadNmiConfig, usage } from '../lib/config/load.ts';
import { nmiFlags } from '../lib/config/nmi-flags.ts';
import { version } from '../lib/config/version.ts';
import { isAppError, messageOf } from '../lib/model/errors.ts';
import { type NmiOptions, runNmi } from '../lib/nmi.ts';
import { systemClock } from '../lib/platform/clock.ts';
import { createLogger } from '../lib/platform/log.ts';

/** After the first signal; draining and withdrawing take a few seconds at most. */
const lastMs = 20_000;

function kubeSource(): NmiOptions['kube'] {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST = '', KUBERNETES_SERVICE_PORT = '' } = process.env;
  if (KUBECONFIG) return { kind: 'kubeconfig', path: KUBECONFIG };
  return { kind: 'in-cluster', host: KUBERNETES_SERVICE_HOST, port: KUBERNETES_SERVICE_PORT };
}

/** Aborts at the first SIGTERM or SIGINT; the second, or the end of the time, ends the process at once. */
function endSignal(): AbortSignal {
  const end = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) process.exit(1);
      end.abort();
      systemClock.after(lastMs, () => process.exit(1));
    });
  }
  return end.signal;
}

async function main(): Promise<number> {
  const config = loadNmiConfig(process.argv.slice(2), process.env);
  if (config.help) {
    process.stdout.write(usage('nmi', nmiFlags));
    return 0;
  }
  if (config.version) {
    process.stdout.write(`pod-identity NMI ${version} (node ${process.versions.node})\n`);
    return 0;
  }
  const log = createLogger(config.logFormat);
  await runNmi({ config, kube: kubeSource(), log, signal: endSignal() });
  return 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`nmi: ${messageOf(error)}\n`);
  process.exit(isAppError(error, 'flag-invalid') ? 2 : 1);
}
