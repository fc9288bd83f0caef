import type { RedirectRules } from './rules.ts';

/** Where a probe asks from: an address and, on the node, an interface, both of this probe alone. */
export interface Scratch {
  readonly address: string;
  readonly device: string;
}

/**
 * The arguments for bash: makes a network namespace that hangs on the node as a pod does, asks the metadata address from
 * inside and removes all of it again. Prints the head of the answer, then `end` and the question's exit status (124: no
 * answer in 2 s); no `end` when there is no such namespace to be had, and why on stderr.
 */
export function probeProgram(
  { address, device }: Scratch,
  { metadataIp, metadataPort }: Pick<RedirectRules, 'metadataIp' | 'metadataPort'>,
): string[] {
  return ['-c', program, 'probe', device, address, metadataIp, `${metadataPort}`, inside, question];
}

/**
 * 198.18.0.0/15 is set aside for benchmarks (RFC 2544): neither Azure, nor a cluster, nor the internet uses it, unlike what is
 * private or link-local. `veth…` since Calico and NetworkManager leave such interfaces out when they look for the node's.
 */
export function newScratch(random: () => number): Scratch {
  const below = (most: number): number => Math.floor(random() * most);
  const address = `198.${18 + below(2)}.${1 + below(255)}.${1 + below(254)}`;
  return { address, device: `vethpi${below(0xfffffff).toString(16).padStart(7, '0')}` };
}

/** Asks from inside, for 2 s at most, and prints the head of the answer. Bash alone: Node would take 40 MB of the agent's limit. */
const question = String.raw`
exec 3<>"/dev/tcp/$1/$2" || exit 1
printf 'GET /pod-identity/probe HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" >&3
for ((n = 0; n < 40; n++)); do
  IFS= read -r -n 300 line <&3 || break
  [ "$line" = $'\r' ] && break
  printf '%s\n' "$line"
done`;

/**
 * Waits for its interface; when nobody brings one, the end of input ends it. What is sent before the kernel has noticed the
 * carrier is lost (up to a second: 1 probe of 20, measured).
 */
const inside = `
echo in
read -r go || exit 1
ip -batch - <<<"$1" || exit 1
for ((n = 0; n < 40; n++)); do
  [[ $(ip -br link show eth0) == *' UP '* ]] && break
  sleep 0.05
done
timeout 2 bash -c "$2" question "$3" "$4"
echo "end $?"`;

/**
 * The namespace has no name, so the kernel removes it, the veth pair and the route as soon as the last process in it ends,
 * however it ends: a killed agent leaves nothing behind. Made with SYS_ADMIN or, with no more than NET_ADMIN, inside a user
 * namespace, where seccomp and the kernel's settings permit one (measured: Linux 6.18; `--keep-caps`, since root may be
 * mapped only with SETFCAP). The outer end has no address, as pods' veths on Azure have none: nothing on the node takes
 * it for one of the node's networks, and the inner end is told its MAC.
 */
const program = `
device=$1 address=$2 mac=02:70:69:00:00:01 gateway=198.18.0.1
config="link set lo up
link set eth0 up
address add $address/32 dev eth0
route add $gateway dev eth0 scope link
neigh add $gateway lladdr $mac dev eth0 nud permanent
route add default via $gateway dev eth0"
for user in '' '--user --keep-caps'; do
  coproc scratch { exec unshare $user --net bash -c "$5" scratch "$config" "$6" "$3" "$4"; }
  pid=$scratch_PID
  read -r there <&"$scratch" && break
  wait "$pid"
done
[ "$there" = in ] || exit 1
trap 'ip link delete "$device" 2>/dev/null' EXIT
ip link add "$device" address "$mac" type veth peer name eth0 netns "$pid" || exit 1
ip -batch - <<<"link set $device up
route add $address/32 dev $device" || exit 1
echo go >&"\${scratch[1]}"
cat <&"$scratch"`;
