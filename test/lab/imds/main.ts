import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serveControl } from './control.ts';
import { startImds } from './imds.ts';

/** `main.ts --listen IP:PORT --dir DIR`: the simulator as a process, steered over DIR/imds.sock; prints `ready IP:PORT`, ends on SIGTERM. */
const { values } = parseArgs({ options: { listen: { type: 'string' }, dir: { type: 'string' } } });
const [host, port] = (values.listen ?? '').split(':');
if (!host || !port || !values.dir) {
  console.error('usage: main.ts --listen IP:PORT --dir DIR');
  process.exit(2);
}

const socketPath = join(values.dir, 'imds.sock');
rmSync(socketPath, { force: true });
const imds = await startImds({ host, port: Number(port) });
const closeControl = await serveControl(imds, socketPath);
const stop = async (): Promise<void> => {
  await Promise.all([imds.close(), closeControl()]);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
console.log(`ready ${imds.host}:${imds.port}`);
