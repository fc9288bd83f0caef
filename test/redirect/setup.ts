import type { Test } from 'tap';
import { createLogger } from '../../lib/platform/log.ts';
import { createRedirect, type Redirect, type RedirectOptions } from '../../lib/redirect/redirect.ts';
import type { RedirectRules } from '../../lib/redirect/rules.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeIptables } from '../fakes/iptables.ts';

export const rules: RedirectRules = {
  metadataIp: '169.254.169.254',
  metadataPort: 80,
  listen: '10.0.0.4',
  targetIp: '10.0.0.4',
  ports: [2579, 2580],
  owner: 'a1',
};
/** The rule of the redirect of `rules`, on the first port. */
export const dnat =
  '! -s 127.0.0.1/32 -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -m comment --comment "pod-identity:a1" -j DNAT --to-destination 10.0.0.4:2579';
/** What the original agent leaves in nat. */
export const originals = [
  ':aad-metadata - [0:0]',
  '-A aad-metadata ! -s 127.0.0.1/32 -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:2579',
  '-A aad-metadata -j RETURN',
  '-A PREROUTING -j aad-metadata',
];

export interface Setup {
  readonly fake: FakeIptables;
  readonly clock: FakeClock;
  readonly redirect: Redirect;
  readonly logged: { msg: string; [field: string]: unknown }[];
  /** Each repair as `WHAT FOUND`. */
  readonly repaired: string[];
  /** Starts `keep`; it ends with the test. */
  keep(t: Test): Promise<void>;
}

/** The redirect stage with a fake kernel, a clock that stands still, and everything that it says. */
export function setup(more: Partial<RedirectOptions> = {}): Setup {
  const fake = new FakeIptables();
  const clock = new FakeClock();
  const logged: Setup['logged'] = [];
  const repaired: string[] = [];
  const redirect = createRedirect({
    exec: fake.exec,
    readFile: fake.readFile,
    clock,
    log: createLogger('json', { to: { write: (line) => logged.push(JSON.parse(line)) } }),
    random: () => 0,
    rules,
    guard: 'mangle',
    answers: async () => 'no',
    backend: 'auto',
    conntrackDeletion: false,
    onRepair: (what, found) => repaired.push(`${what} ${found}`),
    ...more,
  });
  const keep = async (t: Test): Promise<void> => {
    const stop = new AbortController();
    const kept = redirect.keep(stop.signal);
    t.teardown(async () => {
      stop.abort();
      await kept;
    });
    await clock.advance(0);
  };
  return { fake, clock, redirect, logged, repaired, keep };
}

/** The lines of ours in one backend. */
export const ours = (fake: FakeIptables, backend: 'nft' | 'legacy' = 'nft'): string[] =>
  [...fake.lines(backend, 'nat'), ...fake.lines(backend, 'mangle')].filter((line) =>
    line.includes('aad-metadata'),
  );

/** Nothing to drain. */
export const atOnce = async (): Promise<void> => undefined;
