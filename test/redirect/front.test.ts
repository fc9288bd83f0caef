import t from 'tap';
import { couldTake } from '../../lib/redirect/front.ts';
import { guardChain, type Packet, redirectChain } from '../../lib/redirect/rules.ts';
import { rules } from './setup.ts';

/** A pod's request for metadata in nat, on its way past us in mangle, and a pod at our own port. */
const [redirected] = redirectChain(rules, 2579).packets as [Packet];
const [forwarded, inward] = guardChain(rules).packets as [Packet, Packet];
const [, anywhere] = guardChain({ ...rules, listen: '0.0.0.0' }).packets as [Packet, Packet];

const chain = '-j THEIRS';
const yes = true;
const no = false;

/** Whether each could take a pod's request for metadata in nat. Rules as `-S` prints them. */
const inNat: readonly (readonly [rule: string, taken: boolean])[] = [
  // What stands on real nodes
  ['-m comment --comment "kubernetes service portals" -j KUBE-SERVICES', yes],
  ['-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS', no],
  ['-m addrtype --dst-type LOCAL -j DOCKER', no],
  ['-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT', no],
  ['-m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING', no],
  ['-m comment --comment "cilium-feeder: CILIUM_PRE_nat" -j CILIUM_PRE_nat', yes],
  ['-j PREROUTING_direct', yes],
  ['-g PREROUTING_ZONES', yes],
  ['-i eth0 -p tcp -m tcp --dport 30080 -j DNAT --to-destination 10.244.0.9:80', no],
  // The address
  ['-d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.4:2589', yes],
  ['-d 10.0.0.9/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.0.9:80', no],
  ['-d 169.254.0.0/16 -j ACCEPT', yes],
  ['-d 10.0.0.0/8 -j ACCEPT', no],
  ['! -d 10.0.0.0/8 -j ACCEPT', yes],
  ['! -d 169.254.0.0/16 -j ACCEPT', no],
  ['-d 10.0.0.254/255.0.0.255 -j ACCEPT', yes],
  ['-s 10.244.0.0/16 -j ACCEPT', yes],
  ['-m set --match-set services dst,dst -j ACCEPT', yes],
  ['-m set ! --match-set services dst -j ACCEPT', yes],
  ['-d 10.0.0.0/8 -m set --match-set services dst -j ACCEPT', no],
  ['-m addrtype ! --dst-type LOCAL -j ACCEPT', yes],
  ['-m addrtype --dst-type LOCAL,UNICAST -j ACCEPT', yes],
  ['-m iprange --dst-range 10.0.0.1-10.0.0.9 -j ACCEPT', yes],
  // Where it comes in
  ['-i lo -j ACCEPT', no],
  ['! -i lo -j ACCEPT', yes],
  ['-i lo+ -j ACCEPT', yes],
  ['-i lo-pods -j ACCEPT', yes],
  ['-i cali+ -j ACCEPT', yes],
  // Protocol and port
  ['-p udp -j THEIRS', no],
  ['-p udp -m udp --dport 80 -j ACCEPT', no],
  ['! -p udp -j ACCEPT', yes],
  ['! -p tcp -j ACCEPT', no],
  ['-p 6 -j ACCEPT', yes],
  ['-p tcp -j ACCEPT', yes],
  ['-p tcp -m tcp --dport 443 -j ACCEPT', no],
  ['-p tcp -m tcp ! --dport 443 -j ACCEPT', yes],
  ['-p tcp -m tcp ! --dport 80 -j ACCEPT', no],
  ['-p tcp -m tcp --dport 1:1023 -j ACCEPT', yes],
  ['-p tcp -m tcp --dport 81:65535 -j ACCEPT', no],
  ['-p tcp -m tcp ! --dport 1:1023 -j ACCEPT', no],
  ['-p tcp -m multiport --dports 80,443 -j ACCEPT', yes],
  ['-p tcp -m multiport --dports 22,443,8000:8100 -j ACCEPT', no],
  ['-p tcp -m multiport ! --dports 22,443 -j ACCEPT', yes],
  ['-p tcp -m multiport ! --dports 22,80 -j ACCEPT', no],
  ['-p tcp -m multiport --ports 443 -j ACCEPT', yes],
  ['-p tcp -m tcp --sport 443 -j ACCEPT', yes],
  ['-p tcp -m tcp --dport http -j ACCEPT', yes],
  // The state of the connection
  ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', no],
  ['-m conntrack --ctstate NEW,RELATED -j ACCEPT', yes],
  ['-m conntrack ! --ctstate NEW -j ACCEPT', no],
  ['-m conntrack ! --ctstate DNAT -j ACCEPT', yes],
  ['-m state --state ESTABLISHED -j ACCEPT', no],
  // Targets
  ['-j LOG --log-prefix "nat -j THEIRS "', no],
  ['-m mark --mark 0x0/0x1 -j MARK --set-xmark 0x1/0x1', no],
  ['-j SET --add-set seen dst', no],
  ['-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff', no],
  ['-m recent --set --name seen --mask 255.255.255.255 --rsource', no],
  ['-j RETURN', yes],
  ['-j CT --notrack', yes],
  ['-j NOTRACK', yes],
  ['-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080', yes],
  ['-m unheard --of 1 -j ACCEPT', yes],
  // What looks like an option and is not
  ['-m comment --comment "-d 10.0.0.0/8 -p udp -i lo --ctstate ESTABLISHED" -j ACCEPT', yes],
  ['-m comment --comment "x -j LOG y" -j DNAT --to-destination 10.0.0.9:80', yes],
  ['-m comment --comment "a \\"quoted\\" -j LOG" -j ACCEPT', yes],
  ['-m comment --comment -i -j ACCEPT', yes],
  ['-m comment --comment "two', yes],
];

t.test('tells which rules in front could take a request for metadata', async (t) => {
  for (const [rule, taken] of inNat)
    t.equal(couldTake(`-A PREROUTING ${rule}`, 'nat', redirected), taken, rule);
});

t.test("Calico's chain is known in nat alone", async (t) => {
  t.equal(couldTake('-A FORWARD -j cali-PREROUTING', 'mangle', forwarded), true);
  t.equal(couldTake('-A FORWARD -j cali-FORWARD', 'mangle', forwarded), true);
});

t.test('in mangle a connection of any state is ours to drop, and a drop is as good as ours', async (t) => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', true],
    ['-m conntrack --ctstate INVALID -j DROP', false],
    ['-j DROP', false],
    ['-j ACCEPT', true],
    ['-d 10.0.0.0/8 -j ACCEPT', false],
    ['-j MARK --set-xmark 0x1/0x1', false],
  ];
  for (const [rule, taken] of cases)
    t.equal(couldTake(`-A FORWARD ${rule}`, 'mangle', forwarded), taken, rule);
  t.equal(couldTake('-A PREROUTING -j DROP', 'nat', redirected), true);
});

t.test("what comes in to the pods' ports is judged by both ports and the address of the node", async (t) => {
  const cases: readonly (readonly [string, boolean])[] = [
    [`-m addrtype --dst-type LOCAL ${chain}`, true],
    [`-d 10.0.0.4/32 ${chain}`, true],
    [`-p tcp -m tcp --dport 2580 ${chain}`, true],
    [`-p tcp -m tcp ! --dport 2579 ${chain}`, true],
    [`-p tcp -m tcp ! --dport 2579:2580 ${chain}`, false],
    [`-p tcp -m multiport --dports 22,6443 ${chain}`, false],
    [`-i lo ${chain}`, false],
  ];
  for (const [rule, taken] of cases) t.equal(couldTake(`-A INPUT ${rule}`, 'mangle', inward), taken, rule);
  const elsewhere = `-A INPUT -d 10.0.0.9/32 ${chain}`;
  t.equal(couldTake(elsewhere, 'mangle', inward), false);
  t.equal(couldTake(elsewhere, 'mangle', anywhere), true, 'when the agent listens on every address');
});
