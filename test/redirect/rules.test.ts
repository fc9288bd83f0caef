import t from 'tap';
import { chainLines, guardChain, type RedirectRules, redirectChain } from '../../lib/redirect/rules.ts';

const rules: RedirectRules = {
  metadataIp: '169.254.169.254',
  metadataPort: 80,
  listen: '10.0.0.4',
  target: { ip: '10.0.0.4', port: 2579 },
};

t.test("writes the redirect in the original's words", async (t) => {
  const chain = redirectChain(rules);
  t.same([chain.table, chain.hooks], ['nat', ['PREROUTING']]);
  t.same(chainLines(chain), [
    '-N aad-metadata',
    '-A aad-metadata ! -s 127.0.0.1/32 -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.4:2579',
  ]);
});

t.test('guards what is forwarded and what comes in, and never what the node itself sends', async (t) => {
  const chain = guardChain(rules);
  t.same([chain.table, chain.hooks], ['mangle', ['FORWARD', 'INPUT']]);
  t.same(chainLines(chain), [
    '-N aad-metadata-guard',
    '-A aad-metadata-guard -d 169.254.169.254/32 ! -i lo -p tcp -m tcp --dport 80 -j DROP',
    '-A aad-metadata-guard -d 10.0.0.4/32 ! -i lo -p tcp -m tcp --dport 2579 -m conntrack ! --ctstate DNAT -j DROP',
  ]);
});

t.test('guards the port on every address of the node when the agent listens on all of them', async (t) => {
  for (const listen of ['0.0.0.0', '::']) {
    t.equal(
      guardChain({ ...rules, listen }).rules[1],
      '! -i lo -p tcp -m tcp --dport 2579 -m conntrack ! --ctstate DNAT -j DROP',
      listen,
    );
  }
});
