/** Serves a list of made-up pods in pages over plain HTTP, and watches: the first ends in a 410, the others say nothing. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const count = Number(process.argv[2]);
const perNode = 100;
const perWorkload = 50;

/** What a container of an ordinary workload weighs: environment, mounts, probes. */
const padding = Array.from({ length: 12 }, (_, i) => ({ name: `SETTING_${i}`, value: 'v'.repeat(80) }));
const managed = Array.from({ length: 3 }, (_, i) => ({
  ...{ manager: `manager-${i}`, operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z' },
  fieldsV1: Object.fromEntries(padding.map(({ name }) => [`f:${name}`, { 'f:value': {}, 'f:name': {} }])),
}));

function pod(index: number): object {
  const workload = `workload-${Math.floor(index / perWorkload)}`;
  const name = `${workload}-7d9c5b6f4-${index.toString(36).padStart(5, 'x')}`;
  const labels = {
    ...{
      app: workload,
      'app.kubernetes.io/part-of': 'shop',
      'pod-template-hash': '7d9c5b6f4',
      aadpodidbinding: workload,
    },
    // One pod in ten belongs to a StatefulSet, which gives each a label of its own.
    ...(index % 10 === 0 && { 'statefulset.kubernetes.io/pod-name': name }),
  };
  const namespace = `team-${index % 200}`;
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return {
    metadata: {
      name,
      namespace,
      uid: randomUUID(),
      resourceVersion: `${index + 1}`,
      labels,
      managedFields: managed,
    },
    spec: {
      nodeName: `aks-pool-12345678-vmss${Math.floor(index / perNode).toString(36)}`,
      containers: [{ name: 'c', image: 'i', env: padding }],
    },
    status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions: padding },
  };
}

let watches = 0;

const server = createServer((req, res) => {
  const { searchParams } = new URL(req.url ?? '', 'http://maker');
  res.writeHead(200, { 'content-type': 'application/json' });
  if (searchParams.has('watch')) {
    watches += 1;
    if (watches === 1) res.end('{"type":"ERROR","object":{"kind":"Status","code":410}}\n');
    else res.flushHeaders();
    return;
  }
  const from = Number(searchParams.get('continue') ?? 0);
  const to = Math.min(count, from + Number(searchParams.get('limit')));
  const items = Array.from({ length: to - from }, (_, i) => pod(from + i));
  const metadata = { resourceVersion: '1', ...(to < count && { continue: String(to) }) };
  res.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata, items }));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
