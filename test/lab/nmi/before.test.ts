import { join } from 'node:path';
import t from 'tap';
import { addresses } from '../addresses.ts';
import { eventually } from '../eventually.ts';
import { createLab } from '../lab.ts';
import { unavailable } from '../namespaces.ts';
import { askers } from './scene.ts';

/** What a pod did before the agent came must not help it afterwards. */
const skip = unavailable() ?? false;

for (const deletion of [true, false]) {
  t.test(
    `a connection from before the agent ends with it (--enable-conntrack-deletion=${deletion})`,
    { skip },
    async (t) => {
      const lab = await createLab({ pods: [{ name: 'early' }] });
      t.teardown(() => lab.down());
      // Any rule that asks for the state of a connection makes the node's kernel keep track of them, as kube-proxy's do.
      const track = ['-t', 'nat', '-A', 'POSTROUTING', '-m', 'conntrack', '--ctstate', 'NEW', '-j', 'RETURN'];
      t.equal((await lab.onNode(['iptables', ...track])).code, 0);
      const program = join(import.meta.dirname, 'linger.ts');
      const lingering = lab.exec('early', [process.execPath, program, addresses.imds]);
      const askedMoreThan = (count: number) => async (): Promise<boolean> =>
        (await lab.imds.log()).requests.length > count;
      await eventually('it has been answered twice', askedMoreThan(2));
      const agent = lab.startAgent({ flags: { 'enable-conntrack-deletion': deletion } });
      await agent.ready();
      await lab.imds.clear();
      t.equal((await lingering).stdout, 'over');
      t.same(await askers(lab), [], 'nothing of it has arrived since the agent is ready');
    },
  );
}
