/** An address to be pinned: whose it is, and the bridge that it is reached over. */
export interface WantedPin {
  readonly ip: string;
  /** `namespace/name` */
  readonly pod: string;
  readonly bridge: string;
}

/** One IPv4 entry of the kernel's neighbour table. */
export interface Neighbour {
  readonly ip: string;
  readonly bridge: string;
  /** Absent while the address is being asked for, or when nobody answered. */
  readonly mac?: string;
  readonly permanent: boolean;
  /** Carries our mark, which the kernel keeps also when another program changes the rest. */
  readonly ours: boolean;
}

/** One entry of a bridge's forwarding table: the port that a MAC was heard on, or was fixed to. */
export interface Forwarding {
  readonly bridge: string;
  readonly mac: string;
  readonly port: string;
  /** Static and sticky: frames from elsewhere do not move it. It goes with its port. */
  readonly fixed: boolean;
}

export interface Tables {
  readonly neighbours: readonly Neighbour[];
  readonly forwarding: readonly Forwarding[];
}

/** One change of the kernel's tables. */
export type PinStep =
  | { readonly do: 'release'; readonly mac: string; readonly port: string }
  | { readonly do: 'forget'; readonly ip: string; readonly bridge: string }
  | { readonly do: 'resolve'; readonly ip: string; readonly bridge: string }
  | (WantedPin & { readonly do: 'pin'; readonly mac: string; readonly port: string });

/** An address that cannot be pinned now. `port`: it is answered for from the port of another pod. */
export type Unpinned = WantedPin & { readonly port?: string };

export interface PinPlan {
  readonly steps: readonly PinStep[];
  readonly unpinned: readonly Unpinned[];
}

interface Claim extends WantedPin {
  readonly mac: string;
  readonly port: string;
}

/**
 * Wanted against what stands → what to do, in order. Rules:
 * - A pin is the address's permanent entry with our mark and its MAC's fixed forwarding entry. The kernel drops the latter
 *   with the pod's port, so a pin that lacks it is a former pod's, and is taken back; nothing need be remembered.
 * - A permanent entry without our mark is somebody else's pin and left alone.
 * - A MAC is believed only while the bridge knows its port, and a port serves one pod: who answers for a second pod, or wears
 *   a MAC that is made for another address, is not pinned.
 */
export function planPins(wanted: readonly WantedPin[], tables: Tables): PinPlan {
  const standing: Claim[] = [];
  const fresh: Claim[] = [];
  const silent: WantedPin[] = [];
  for (const want of wanted) {
    const { ip, bridge } = want;
    const seen = tables.neighbours.find((one) => one.ip === ip && one.bridge === bridge);
    if (seen?.permanent && !seen.ours) continue;
    const place = placeOf(seen, tables);
    if (!place || (seen?.ours && !(seen.permanent && place.fixed))) silent.push(want);
    else (seen?.ours ? standing : fresh).push({ ...want, mac: place.mac, port: place.port });
  }
  const alone = (claim: Claim): boolean =>
    ![...standing, ...fresh].some(({ port, pod }) => port === claim.port && pod !== claim.pod) &&
    !isMadeForAnother(claim, wanted);
  const pins = fresh.filter(alone);
  const disputed = fresh.filter((claim) => !alone(claim));
  return {
    steps: [
      ...takeBack(tables, standing),
      ...[...silent, ...disputed].flatMap((want) => askAgain(want, tables)),
      ...pins.map((claim) => ({ ...claim, do: 'pin' as const })),
    ],
    unpinned: [...silent, ...disputed],
  };
}

/**
 * CNI bridges make a pod's MAC of its address (`0a:58` and the four bytes), so a pod can wear the MAC of one to come, and a pin
 * of it would cut that one off.
 */
function isMadeForAnother({ mac, ip, pod }: Claim, wanted: readonly WantedPin[]): boolean {
  const [, bytes] = /^0a:58:((?:[0-9a-f]{2}:){3}[0-9a-f]{2})$/.exec(mac) ?? [];
  if (bytes === undefined) return false;
  const made = bytes.split(':').map((byte) => Number.parseInt(byte, 16));
  const address = made.join('.');
  // A pod with two addresses has the MAC of one of them.
  return address !== ip && !wanted.some((other) => other.ip === address && other.pod === pod);
}

/** Where the entry's MAC is; undefined when the bridge does not know, or knows it on two ports (in two VLANs). */
function placeOf(seen: Neighbour | undefined, { forwarding }: Tables): Forwarding | undefined {
  const places = forwarding.filter(({ bridge, mac }) => bridge === seen?.bridge && mac === seen.mac);
  const [first] = places;
  if (!first || places.some(({ port }) => port !== first.port)) return undefined;
  return { ...first, fixed: places.every(({ fixed }) => fixed) };
}

/** Our entries that are no standing pin. Their mark goes last, so that an end in between leaves nothing unmarked. */
function takeBack({ neighbours, forwarding }: Tables, standing: readonly Claim[]): PinStep[] {
  const keeps = (one: { ip?: string; mac?: string; bridge: string }, by: 'ip' | 'mac'): boolean =>
    standing.some((claim) => claim.bridge === one.bridge && claim[by] === one[by]);
  return neighbours
    .filter((one) => one.ours && !keeps(one, 'ip'))
    .flatMap(({ ip, bridge, mac }) => [
      ...forwarding
        .filter((one) => one.fixed && one.bridge === bridge && one.mac === mac && !keeps(one, 'mac'))
        .map(({ mac, port }) => ({ do: 'release' as const, mac, port })),
      { do: 'forget' as const, ip, bridge },
    ]);
}

/** What is known of it may be a former pod's; ours was taken back already. */
function askAgain({ ip, bridge }: WantedPin, { neighbours }: Tables): PinStep[] {
  const known = neighbours.some(
    (one) => one.ip === ip && one.bridge === bridge && !one.ours && one.mac !== undefined,
  );
  return [...(known ? [{ do: 'forget' as const, ip, bridge }] : []), { do: 'resolve' as const, ip, bridge }];
}
