import { createLogger } from '../../lib/platform/log.ts';
import { createRedirect, type Redirect, type RedirectOptions } from '../../lib/redirect/redirect.ts';
import { guardChain, ownerIn, redirectChain } from '../../lib/redirect/rules.ts';
import { FakeClock, settle } from '../fakes/clock.ts';
import { FakeIptables } from '../fakes/iptables.ts';
import { pick } from '../fakes/random.ts';
import { rules } from './setup.ts';

/** What stands while this agent serves on this port: chain and jump, guard and its jumps. */
export const whole = (owner: string, port: number): string[] => [
  '-N aad-metadata',
  '-A PREROUTING -j aad-metadata',
  `-A aad-metadata ${redirectChain({ ...rules, owner }, port).rules[0]}`,
  '-N aad-metadata-guard',
  '-A INPUT -j aad-metadata-guard',
  '-A FORWARD -j aad-metadata-guard',
  ...guardChain(rules).rules.map((rule) => `-A aad-metadata-guard ${rule}`),
];

/** One agent's redirect stage, kept as the composition keeps it: serve, yield, stand by, serve again. */
export interface Agent {
  readonly owner: string;
  readonly redirect: Redirect;
  /** SIGTERM: withdraws, and tells what was removed, or undefined when that failed. */
  end(): Promise<readonly string[] | undefined>;
  /** SIGKILL: nothing that it had begun comes to its end. */
  kill(): void;
}

type Options = Partial<Pick<RedirectOptions, 'backend' | 'guard'>>;

/**
 * Agents on one node, with one kernel and one clock. With `random`, each call of a program takes its turn when `step` lets it,
 * so that the agents' calls interleave in any order.
 */
export class SharedNode {
  readonly fake = new FakeIptables();
  readonly clock = new FakeClock();
  /** Who wrote to nat, the oldest first, as `OWNER` or `-OWNER` for what took something out. */
  readonly writes: string[] = [];
  /** What must never happen. */
  readonly breaches: string[] = [];
  readonly #random: (() => number) | undefined;
  readonly #listening = new Map<number, string>();
  #waiting: (() => void)[] = [];

  constructor(random?: () => number) {
    this.#random = random;
    this.fake.put('nft', 'nat', ':KUBE-KUBELET-CANARY - [0:0]');
  }

  start(owner: string, options: Options = {}): Agent {
    const ending = new AbortController();
    let alive = true;
    const redirect = createRedirect({
      exec: async (file, args, more) => {
        await this.#turn(() => alive);
        return this.#run(owner, () => this.fake.exec(file, args, more));
      },
      answers: async ({ port }) => {
        await this.#turn(() => alive);
        return this.#listening.has(port) ? 'yes' : 'no';
      },
      readFile: this.fake.readFile,
      clock: this.clock,
      log: createLogger('json', { to: { write: () => undefined } }),
      random: this.#random ?? (() => 0),
      rules: { ...rules, owner },
      guard: 'mangle',
      backend: 'nft',
      conntrackDeletion: false,
      onRepair: () => undefined,
      ...options,
    });
    void this.#serve(owner, redirect, ending.signal);
    const leave = (): void => {
      ending.abort();
      for (const [port, holder] of this.#listening) if (holder === owner) this.#listening.delete(port);
    };
    return {
      owner,
      redirect,
      end: async () => {
        ending.abort();
        const removed = await redirect.withdraw(() => this.clock.sleep(2_000)).catch(() => undefined);
        leave();
        return removed;
      },
      kill: () => {
        alive = false;
        leave();
      },
    };
  }

  /** Whose redirect stands in the backend. */
  owner(backend: 'nft' | 'legacy' = 'nft'): string | undefined {
    return ownerIn(this.fake.lines(backend, 'nat'));
  }

  /** As if this agent had a listener there. */
  listen(port: number, owner: string): void {
    this.#listening.set(port, owner);
  }

  /** Lets one call have its turn, or a moment pass. */
  async step(): Promise<void> {
    await settle(2);
    const random = this.#random ?? (() => 0);
    const [first, ...more] = this.#waiting;
    if (!first || random() < 0.2) return this.clock.advance(Math.floor(random() * 300));
    const next = pick([first, ...more], random);
    this.#waiting = this.#waiting.filter((other) => other !== next);
    next();
  }

  /** Lets time pass until `ms` are over and no call waits. */
  async quiet(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      if (this.#random) await this.step();
      else await this.clock.advance(100);
    }
  }

  async #serve(owner: string, redirect: Redirect, ending: AbortSignal): Promise<void> {
    await redirect.raiseGuard();
    while (!ending.aborted) {
      const port = await this.#freePort(ending);
      if (port === undefined) return;
      this.#listening.set(port, owner);
      await redirect.redirect(port);
      await redirect.keep(ending);
      if (ending.aborted) return;
      await this.clock.sleep(1_000, ending);
      if (this.#listening.get(port) === owner) this.#listening.delete(port);
      await redirect.standBy(ending);
    }
  }

  /** Waits for one, as a third agent must. */
  async #freePort(ending: AbortSignal): Promise<number | undefined> {
    while (!ending.aborted) {
      const port = rules.ports.find((each) => !this.#listening.has(each));
      if (port !== undefined) return port;
      await this.clock.sleep(250, ending);
    }
    return undefined;
  }

  async #turn(alive: () => boolean): Promise<void> {
    if (this.#random) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!alive()) await new Promise(() => undefined);
  }

  async #run<T>(writer: string, call: () => Promise<T>): Promise<T> {
    const { applied } = this.fake;
    const before = { nft: this.owner('nft'), legacy: this.owner('legacy') };
    const count = applied.length;
    const result = await call();
    const write = applied.length > count ? applied.at(-1) : undefined;
    if (!write?.text.startsWith('*nat')) return result;
    const takesOut = /^-D PREROUTING /m.test(write.text) && !/^-I PREROUTING /m.test(write.text);
    this.writes.push(takesOut ? `-${writer}` : writer);
    const holder = before[write.backend];
    const serves = [...this.#listening.values()].includes(holder ?? '');
    // Who has the redirect in one backend may clear the other.
    const isOwner = before.nft === writer || before.legacy === writer;
    if (takesOut && serves && !isOwner) this.breaches.push(`${writer} took out the redirect of ${holder}`);
    return result;
  }
}
