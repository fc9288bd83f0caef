/**
 * The stand-in as its own process, for a network namespace:
 *
 *   node test/lab/kube/main.ts --listen IP:PORT --dir DIR
 *
 * Writes DIR/kubeconfig (the agent's rights), DIR/admin.kubeconfig, DIR/ca.crt and DIR/kube.sock, prints `ready`, and ends
 * on SIGTERM or SIGINT.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startKubeApi } from './server.ts';

const usage = 'usage: main.ts --listen IP:PORT --dir DIR';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { listen: { type: 'string' }, dir: { type: 'string' } } });
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(values.listen ?? '') ?? [];
  const dir = values.dir;
  if (!host || !port || !dir) throw new Error(usage);
  mkdirSync(dir, { recursive: true });
  const socket = join(dir, 'kube.sock');
  rmSync(socket, { force: true });
  const api = await startKubeApi({ host, port: Number(port), socket });
  writeFileSync(join(dir, 'ca.crt'), api.ca);
  writeFileSync(join(dir, 'kubeconfig'), api.kubeconfig('nmi-token'), { mode: 0o600 });
  writeFileSync(join(dir, 'admin.kubeconfig'), api.kubeconfig('admin-token'), { mode: 0o600 });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void api.close().then(() => process.exit(0)));
  }
  process.stdout.write('ready\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
