import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { imdsClient } from '../imds/client.ts';
import { selfSigned } from '../kube/tls.ts';
import { startArm } from './arm.ts';
import { serveControl } from './control.ts';

/**
 * `main.ts --listen IP:PORT --dir DIR`: the simulator as a process, over TLS, steered over DIR/arm.sock, its CA in DIR/arm-ca.crt, its
 * cloud described in DIR/azure-environment.json. Steers the IMDS of DIR/imds.sock. Prints `ready IP:PORT`, ends on SIGTERM.
 */
const { values } = parseArgs({ options: { listen: { type: 'string' }, dir: { type: 'string' } } });
const [host, port] = (values.listen ?? '').split(':');
if (!host || !port || !values.dir) {
  console.error('usage: main.ts --listen IP:PORT --dir DIR');
  process.exit(2);
}

const socketPath = join(values.dir, 'arm.sock');
rmSync(socketPath, { force: true });
const tls = selfSigned(host);
const imds = imdsClient(join(values.dir, 'imds.sock'));
const arm = await startArm({ host, port: Number(port), tls, imds });
writeFileSync(join(values.dir, 'arm-ca.crt'), tls.cert);
const environment = {
  name: 'AzureStackCloud',
  resourceManagerEndpoint: arm.origin,
  activeDirectoryEndpoint: `https://${host}`,
  tokenAudience: 'https://management.azure.com',
};
writeFileSync(join(values.dir, 'azure-environment.json'), JSON.stringify(environment));
const closeControl = await serveControl(arm, socketPath);
const stop = async (): Promise<void> => {
  await Promise.all([arm.close(), closeControl()]);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
console.log(`ready ${host}:${arm.port}`);
