import { usage } from '../lib/config/load.ts';
import { version } from '../lib/config/version.ts';
import { runDemo } from '../lib/demo/demo.ts';
import { demoFlags, loadDemoConfig } from '../lib/demo/flags.ts';
import { isAppError, messageOf } from '../lib/model/errors.ts';
import { systemClock as clock } from '../lib/platform/clock.ts';
import { createLogger } from '../lib/platform/log.ts';
import { azureOf } from '../lib/workload/azure.ts';
import { ownPodIn } from '../lib/workload/pod.ts';

async function main(): Promise<void> {
  const config = loadDemoConfig(process.argv.slice(2), process.env);
  if (config.help) return void process.stdout.write(usage('demo', demoFlags));
  if (config.version) return void process.stdout.write(`demo ${version}\n`);
  const azure = await azureOf(process.env);
  const log = createLogger('text');
  const end = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'told to end');
      end.abort();
    });
  }
  const pod = ownPodIn(process.env, 'MY_POD');
  await runDemo({ config, azure, pod, clock, log }, end.signal);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
  process.exit(isAppError(error, 'flag-invalid') ? 2 : 1);
}
