import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { selfSigned } from '../../lab/kube/tls.ts';
import { createGate, serveGateControl } from './gate.ts';

/**
 * `main.ts --listen IP:PORT --dir DIR --server https://HOST:PORT`: the gate as a process, steered over DIR/gate.sock; the API server's
 * CA is in DIR/api-ca.crt, its own in DIR/gate-ca.crt. Shut at first. Prints `ready IP:PORT`, ends on SIGTERM.
 */
const { values } = parseArgs({
  options: { listen: { type: 'string' }, dir: { type: 'string' }, server: { type: 'string' } },
});
const { dir, server, listen = '' } = values;
const [host, port] = listen.split(':');
if (!host || !port || !dir || !server) {
  console.error('usage: main.ts --listen IP:PORT --dir DIR --server https://HOST:PORT');
  process.exit(2);
}

const socketPath = join(dir, 'gate.sock');
rmSync(socketPath, { force: true });
const tls = selfSigned(host);
writeFileSync(join(dir, 'gate-ca.crt'), tls.cert);
const ca = readFileSync(join(dir, 'api-ca.crt'), 'utf8');
const gate = createGate({ host, port: Number(port), tls, server, ca });
const closeControl = await serveGateControl(gate, socketPath);
const stop = async (): Promise<void> => {
  await Promise.all([gate.shut(), closeControl()]);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void stop().then(() => process.exit(0)));
console.log(`ready ${listen}`);
