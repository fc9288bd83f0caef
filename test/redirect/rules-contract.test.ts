import t from 'tap';
import {
  compare,
  installText,
  removeText,
  repairText,
  type Seen,
  unhookText,
} from '../../lib/redirect/compare.ts';
import type { Iptables } from '../../lib/redirect/iptables.ts';
import { Observer } from '../../lib/redirect/observe.ts';
import {
  chainLines,
  guardChain,
  type OwnChain,
  ownerIn,
  redirectChain,
  targetIn,
} from '../../lib/redirect/rules.ts';
import { rules } from './setup.ts';
import { leaves, wipe, worlds } from './worlds.ts';

for (const world of worlds) {
  t.test(world.name, { skip: world.skip }, async (t) => {
    const iptables = world.make(t);

    t.test('prints our own rules as we compare them', async (t) => {
      await wipe(iptables);
      for (const chain of [
        guardChain({ ...rules, listen: '0.0.0.0' }),
        guardChain(rules, { closed: true }),
        guardChain(rules),
        redirectChain(rules, 2579),
        redirectChain({ ...rules, owner: 'abcdef012345' }, 2580),
      ]) {
        const before = await seen(iptables, chain);
        await iptables.restore(repairText(chain, before, compare(chain, before)));
        t.same(compare(chain, await seen(iptables, chain)), [], chain.rules.join());
      }
    });

    t.test('prints whose a redirect is, whole table and single chain alike', async (t) => {
      await wipe(iptables);
      const chain = redirectChain({ ...rules, owner: '0123456789ab' }, 2580);
      await iptables.restore(installText(chain));
      for (const listed of [await iptables.list('nat'), await iptables.list('nat', chain.name)]) {
        const lines = listed.kind === 'lines' ? listed.lines : [];
        t.same(
          lines.filter((line) => line.startsWith(`-A ${chain.name} `)),
          chainLines(chain).slice(1),
        );
        t.equal(ownerIn(lines), '0123456789ab');
        t.same(targetIn(lines), { ip: '10.0.0.4', port: 2580 });
      }
    });

    t.test('lets go of a redirect only while it names the same agent', async (t) => {
      await wipe(iptables);
      const [mine, other] = ['a1', 'b2'].map((owner) => redirectChain({ ...rules, owner }, 2579));
      if (!mine || !other) throw new Error('two are needed');
      await iptables.restore(installText(mine));
      const before = await seen(iptables, mine);
      await iptables.restore(repairText(other, before, compare(other, before)));
      for (const text of [unhookText(mine, before), removeText(mine, before)])
        await t.rejects(iptables.restore(text), { code: 'iptables-failed' });
      const taken = await seen(iptables, other);
      t.same(compare(other, taken), []);
      await iptables.restore(unhookText(other, taken));
      const unhooked = await seen(iptables, other);
      t.same(compare(other, unhooked), [{ kind: 'jump-missing', hook: 'PREROUTING' }]);
      await iptables.restore(removeText(other, unhooked));
      t.same(await leaves(iptables), []);
    });
  });
}

async function seen(iptables: Iptables, chain: OwnChain): Promise<Seen> {
  const observed = await new Observer().observe(iptables, chain);
  if (observed.kind === 'unknown') throw new Error(observed.why);
  return observed.seen;
}
