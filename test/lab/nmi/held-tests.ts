import t from 'tap';
import type { BackendName } from '../../../lib/redirect/iptables.ts';
import { unavailable } from '../namespaces.ts';
import { type Held, holdAll } from './held.ts';

/** With the keeper stopped for ten seconds, each damage that other programs and people do. */
export function heldTests(backend: BackendName): void {
  const skip = unavailable() ?? false;
  t.test(`damage that stands for ten seconds on ${backend}`, { skip }, async (t) => {
    for (const held of await holdAll(t, backend)) {
      const { damage, leaks, during, gap, after, healedMs } = held;
      t.test(damage.name, async (t) => {
        t.comment(
          `${backend}: ${damage.name}: healed ${Math.round(healedMs)} ms after the keeper could again`,
        );
        t.comment(`  meanwhile ${JSON.stringify(during)}, in the gap ${gap}`);
        t.ok(held.stood, 'it stood all the time');
        t.same(leaks, [], 'no request of a pod reached IMDS');
        t.same(after, [200, 200], 'once mended, a pod and an excepted one are served');
        t.same(outcomes(during['on-node']), served, 'a process with hostNetwork was answered all the time');
        if (!damage.refuses) t.same(gap, [200, 200, 200], 'a connection opened in the gap succeeded');
        if (damage.sparesRedirect) {
          t.same(outcomes(during.demo), served, 'the pod was served all the time');
          t.same(outcomes(during.excepted), served, 'and the excepted pod');
        }
      });
    }
  });
}

/** Answered with 200, and nothing else. */
const served = { statuses: ['200'], failed: {}, gaveUp: 0 };

function outcomes({ answered, failed, gaveUp }: Held['during']['demo']) {
  return { statuses: Object.keys(answered), failed, gaveUp };
}
