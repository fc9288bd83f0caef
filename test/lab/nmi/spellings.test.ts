import t from 'tap';
import { fault } from '../../wire/spelling.ts';
import { addresses } from '../addresses.ts';
import { unavailable } from '../namespaces.ts';
import { exceptionObject } from '../objects.ts';
import { ask, scene } from './scene.ts';

/** The property of test/wire once more, through the kernel's redirect and the agent as a process. */
const skip = unavailable() ?? false;
/** Below the burst that a pod may ask. */
const each = 300;

t.test(
  'no spelling of a pod brings a byte below identity to IMDS but by the rebuilt call',
  { skip },
  async (t) => {
    const { lab, agent } = await scene(t);
    await lab.addPod({ name: 'free', labels: { app: 'free' } });
    await lab.kube.apply(exceptionObject('free', 'default', { app: 'free' }));
    await agent.ready();
    t.equal((await ask(lab, 'demo')).status, 200);
    const program = `${import.meta.dirname}/spell.ts`;
    const callers = { demo: 'bound', plain: 'unknown', free: 'excepted' } as const;
    for (const [seed, [pod, caller]] of Object.entries(callers).entries()) {
      await lab.imds.clear();
      const command = [process.execPath, program, addresses.imds, String(seed), String(each)];
      const { stdout, stderr } = await lab.exec(pod, command, { timeoutMs: 60_000 });
      t.equal(stderr, '');
      const statuses = JSON.parse(stdout) as Record<string, number>;
      const { requests } = await lab.imds.log();
      t.same(
        requests.flatMap((call) => fault(call, caller) ?? []),
        [],
      );
      t.ok(requests.length > 10, `${pod}: ${requests.length} of ${each} reached IMDS`);
      t.ok(requests.every(({ remoteAddress }) => remoteAddress === addresses.node));
      t.ok(Number(statuses['400']) > 50 && !statuses['429'], stdout);
    }
  },
);
