import t from 'tap';
import { chainLines, guardChain, ownerIn, redirectChain, targetIn } from '../../lib/redirect/rules.ts';
import { originals, rules } from './setup.ts';

t.test("writes the redirect in the original's words, and whose it is", async (t) => {
  const chain = redirectChain(rules, 2580);
  t.same([chain.table, chain.hooks], ['nat', ['PREROUTING']]);
  t.same(chainLines(chain), [
    '-N aad-metadata',
    '-A aad-metadata ! -s 127.0.0.1/32 -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -m comment --comment "pod-identity:a1" -j DNAT --to-destination 10.0.0.4:2580',
  ]);
});

t.test('guards what is forwarded and what comes in, and never what the node itself sends', async (t) => {
  const chain = guardChain(rules);
  t.same([chain.table, chain.hooks], ['mangle', ['FORWARD', 'INPUT']]);
  t.same(chainLines(chain), [
    '-N aad-metadata-guard',
    '-A aad-metadata-guard -d 169.254.169.254/32 ! -i lo -p tcp -m tcp --dport 80 -j DROP',
    '-A aad-metadata-guard ! -i lo -p tcp -m addrtype ! --dst-type LOCAL -m conntrack --ctorigdst 169.254.169.254 --ctorigdstport 80 -j DROP',
    '-A aad-metadata-guard -d 10.0.0.4/32 ! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack ! --ctstate DNAT -j DROP',
    '-A aad-metadata-guard -d 127.0.0.0/8 ! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack ! --ctstate DNAT -j DROP',
    '-A aad-metadata-guard -d 10.0.0.4/32 ! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack ! --ctorigdst 169.254.169.254 -j DROP',
    '-A aad-metadata-guard -d 127.0.0.0/8 ! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack ! --ctorigdst 169.254.169.254 -j DROP',
  ]);
});

t.test('guards the ports on every address of the node when the agent listens on all of them', async (t) => {
  const { rules: lines, packets } = guardChain({ ...rules, listen: '0.0.0.0' });
  t.equal(lines[2], '! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack ! --ctstate DNAT -j DROP');
  t.match(packets[1], { hook: 'INPUT', ip: undefined });
});

t.test('an agent and its successor want the same guard', async (t) => {
  t.same(guardChain({ ...rules, owner: 'b2' }), guardChain(rules));
});

t.test("closed, it drops new connections to the pods' ports beside all else", async (t) => {
  const { rules: lines } = guardChain(rules, { closed: true });
  t.same(lines.slice(0, 6), guardChain(rules).rules);
  t.same(lines.slice(6), [
    '-d 10.0.0.4/32 ! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack --ctstate NEW -j DROP',
    '-d 127.0.0.0/8 ! -i lo -p tcp -m tcp --dport 2579:2580 -m conntrack --ctstate NEW -j DROP',
  ]);
});

t.test('reads whose a chain is and where it leads', async (t) => {
  const ours = chainLines(redirectChain({ ...rules, owner: 'c0ffee' }, 2580));
  t.equal(ownerIn(ours), 'c0ffee');
  t.same(targetIn(ours), { ip: '10.0.0.4', port: 2580 });
  t.equal(ownerIn(originals), undefined);
  t.same(targetIn(originals), { ip: '127.0.0.1', port: 2579 });
});

t.test('does not read what it does not know', async (t) => {
  const owners = ['-A aad-metadata -m comment --comment "pod-identity:" -j RETURN', '-N aad-metadata', ''];
  for (const line of owners) t.equal(ownerIn([line]), undefined, line);
  const targets = [
    '-A aad-metadata -j DNAT --to-destination 10.0.0.4',
    '-A aad-metadata -j DNAT --to-destination 10.0.0.4:2579-2580',
    '-A aad-metadata -j DNAT --to-destination 10.0.0.4:2579 --random',
    '-A aad-metadata -j RETURN',
  ];
  for (const line of targets) t.equal(targetIn([line]), undefined, line);
});
