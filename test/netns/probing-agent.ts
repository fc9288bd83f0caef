/**
 * Program: `probing-agent.ts IP PORT METADATA_IP BACKEND` opens the pods' listener, asks the metadata address by way of the
 * self-probe, once more where that may tell more, and writes the last verdict as JSON.
 */

import { refuse } from '../../lib/metadata/reply.ts';
import { MetadataListener } from '../../lib/metadata/server.ts';
import { systemClock as clock } from '../../lib/platform/clock.ts';
import { systemExec as exec } from '../../lib/platform/exec.ts';
import type { BackendName } from '../../lib/redirect/iptables.ts';
import { createSelfProbe } from '../../lib/redirect/self-probe.ts';

const [ip = '', port = '', metadataIp = '', backend = ''] = process.argv.slice(2);

const probe = createSelfProbe({
  exec,
  random: Math.random,
  rules: { metadataIp, metadataPort: 80 },
  backend: () => backend as BackendName,
});
const onServed = probe.heard;
const listener = new MetadataListener(async () => refuse('path-unknown'), { clock, onServed });
await listener.listen(ip, Number(port));
const first = await probe.ask();
console.log(JSON.stringify('again' in first ? await probe.ask() : first));
await listener.close(0);
