import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serveControl } from './control.ts';
import { startEntra } from './server.ts';

/**
 * `main.ts --listen IP:PORT --dir DIR`: the simulator as a process, steered over DIR/entra.sock, its CA in DIR/entra-ca.crt;
 * prints `ready IP:PORT`, ends on SIGTERM.
 */
const { values } = parseArgs({ options: { listen: { type: 'string' }, dir: { type: 'string' } } });
const [host, port] = (values.listen ?? '').split(':');
if (!host || !port || !values.dir) {
  console.error('usage: main.ts --listen IP:PORT --dir DIR');
  process.exit(2);
}

const socketPath = join(values.dir, 'entra.sock');
rmSync(socketPath, { force: true });
const entra = await startEntra({ host, port: Number(port) });
writeFileSync(join(values.dir, 'entra-ca.crt'), entra.ca);
const closeControl = await serveControl(entra.directory, socketPath);
const stop = async (): Promise<void> => {
  await Promise.all([entra.close(), closeControl()]);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
console.log(`ready ${host}:${entra.port}`);
