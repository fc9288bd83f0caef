import { seeded } from '../../fakes/random.ts';
import { ask, request } from '../../wire/client.ts';
import { spelling } from '../../wire/spelling.ts';

/**
 * Run in a pod: asks the metadata address for spelt paths, each on a connection of its own, and prints how often each status
 * came:
 *
 *   node test/lab/nmi/spell.ts HOST SEED COUNT
 */
const [host = '', seed = '0', count = '0'] = process.argv.slice(2);
const random = seeded(Number(seed));
const statuses: Record<string, number> = {};

for (let i = 0; i < Number(count); i++) {
  const method = random() < 0.9 ? 'GET' : 'POST';
  const bytes = request(method, spelling(random), 'Metadata: true', 'Connection: close');
  const { status } = await ask({ host, port: 80 }, bytes);
  statuses[status] = (statuses[status] ?? 0) + 1;
}
process.stdout.write(JSON.stringify(statuses));
