import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from '../lab/agent.ts';
import { eventually } from '../lab/eventually.ts';
import type { Stage } from './stage.ts';

/** Two agents may run side by side, as in an update that starts the new one first. */
const slots = [
  { 'http-probe-port': 8085, 'prometheus-port': 9090 },
  { 'http-probe-port': 8086, 'prometheus-port': 9091 },
] as const;

/** For a successor to take over, ms; while the API server is away it waits for it. */
const handOverMs = 15_000;

/** The agents of one node through their lives: killed, ended, and replaced. One life event at a time. */
export class Agents {
  readonly #stage: Stage;
  readonly #running: [Agent | undefined, Agent | undefined] = [undefined, undefined];
  readonly #surprises: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** How agents ended that should not have, one line each. */
  surprises(): readonly string[] {
    for (const slot of [0, 1] as const) this.#notice(slot);
    return this.#surprises;
  }

  /** Starts one where none runs. */
  start(slot: 0 | 1 = 0): Agent {
    const { lab, agent: common } = this.#stage;
    // Every end but SIGKILL is that of an update: the next agent comes, so the rules stay.
    const flags = { ...common.flags, ...slots[slot], 'on-shutdown': 'keep' };
    const agent = lab.startAgent({ ...common, flags });
    this.#running[slot] = agent;
    return agent;
  }

  /** One is gone from one moment to the next, and is started again after `pauseMs`. */
  async killed(pauseMs: number): Promise<void> {
    const slot = this.#anyRunning();
    await this.#end(slot, 'SIGKILL');
    await sleep(pauseMs);
    this.start(slot);
  }

  /** An update that ends the old one first. */
  async replaced(pauseMs: number): Promise<void> {
    const slot = this.#anyRunning();
    await this.#end(slot, 'SIGTERM');
    await sleep(pauseMs);
    this.start(slot);
  }

  /** An update that starts the new one first; once that serves, or does not in time, the old one is told to end. */
  async handedOver(): Promise<void> {
    const old = this.#anyRunning();
    const next = old === 0 ? 1 : 0;
    const successor = this.start(next);
    const serves = (): boolean => successor.output().includes('serving pods');
    await eventually('the successor serves', serves, { withinMs: handOverMs }).catch(() => undefined);
    await this.#end(old, 'SIGTERM');
  }

  /** True when one agent runs, and is ready. */
  async ready(): Promise<boolean> {
    const running = this.#running.filter((agent) => agent !== undefined);
    const [agent] = running;
    return running.length === 1 && (await agent?.probed('/readyz'))?.status === 200;
  }

  /** The last one goes, and leaves its rules. */
  async allKilled(): Promise<void> {
    for (const slot of [0, 1] as const) await this.#end(slot, 'SIGKILL');
  }

  /** Of the events above, each leaves one running. */
  #anyRunning(): 0 | 1 {
    return this.#running[0] ? 0 : 1;
  }

  async #end(slot: 0 | 1, signal: NodeJS.Signals): Promise<void> {
    this.#notice(slot);
    const agent = this.#running[slot];
    this.#running[slot] = undefined;
    if (!agent || agent.ended() !== undefined) return;
    // Before that nobody listens for signals, and it has done nothing yet.
    await eventually('an agent has begun', () => agent.output().includes('"starting"'));
    const end = await agent.stop(signal);
    if (end !== (signal === 'SIGKILL' ? signal : 0))
      this.#surprises.push(`${signal} ended an agent with ${end}`);
  }

  #notice(slot: 0 | 1): void {
    const end = this.#running[slot]?.ended();
    if (end !== undefined) this.#surprises.push(`an agent ended by itself with ${end}`);
  }
}
