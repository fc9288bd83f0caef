import { AppError, isAppError } from '../model/errors.ts';
import type { DaemonSet, Ownership } from '../model/ownership.ts';
import type { Logger } from '../platform/log.ts';
import { unlessAborted } from '../platform/wait.ts';
import { backoffMs } from './backoff.ts';
import type { Connection } from './connection.ts';
import { daemonSetNamed, daemonSetsPath } from './daemonsets.ts';
import { Deadline } from './deadline.ts';
import { type Answer, answerIn, getObject } from './get.ts';
import { Heard } from './heard.ts';
import type { OwnPod } from './own-pod.ts';
import { Reflector } from './reflector.ts';
import type { Sink } from './resource.ts';

export interface OwnDaemonSetOptions {
  readonly connection: Connection;
  /** Which pod are we? Undefined: none. May reject with AppError while that cannot be told, and is asked again then. */
  readonly ownPod: () => Promise<OwnPod | undefined>;
  /** This node's name. */
  readonly node: string;
  readonly log: Logger;
  /** 0 to 1, as Math.random. */
  readonly random: () => number;
  /** `known` may tell something else than before. */
  readonly onChange: () => void;
}

/** `live`: the API server has just said so; else it is what was heard last. */
export interface Look {
  readonly ownership: Ownership;
  readonly live: boolean;
}

/** For one look while there is no hurry, ms. */
const lookMs = 10_000;
/** A right that was not there in these tries (a minute or two) may never come: asked for rarely then, as each node does. */
const promptTries = 8;
const rarelyMs = 600_000;

/** Whose pod we are, and whether that DaemonSet is still there: known before it is needed, and asked once more then. */
export class OwnDaemonSet {
  readonly #options: OwnDaemonSetOptions;
  readonly #heard = new Heard();

  constructor(options: OwnDaemonSetOptions) {
    this.#options = options;
  }

  /** Finds out, then watches the DaemonSet until `signal` aborts. Resolves earlier when there is none to watch. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#findOut(signal);
    await this.#reflector()?.run(signal);
  }

  /** Asks the API server, for `ms` at most. What it leaves unanswered is as it was known. */
  async look(ms: number, signal?: AbortSignal): Promise<Look> {
    const deadline = new Deadline(this.#options.connection.clock, signal);
    deadline.arm(ms, () => new AppError('kube-timeout', `no answer about our DaemonSet within ${ms} ms`));
    let live = false;
    try {
      const told = (): void => {
        live = true;
      };
      await unlessAborted(this.#ask(deadline.signal, told), deadline.signal);
    } catch (error) {
      if (!isAppError(error) && !signal?.aborted) throw error;
    } finally {
      deadline.end();
    }
    return { ownership: this.known(), live };
  }

  /** As told last. */
  known(): Ownership {
    return this.#heard.ownership();
  }

  async #findOut(signal: AbortSignal): Promise<void> {
    const { connection, random, onChange } = this.#options;
    for (let tries = 1; !signal.aborted; tries++) {
      await this.look(lookMs, signal);
      onChange();
      const { kind } = this.known();
      if (kind !== 'unknown' && kind !== 'unread') return;
      const rarely = kind === 'unread' && tries >= promptTries;
      const pause = rarely ? rarelyMs * (0.5 + 0.5 * random()) : backoffMs(tries, random);
      await connection.clock.sleep(pause, signal);
    }
  }

  /** `told` is called when the API server has answered what decides. */
  async #ask(signal: AbortSignal, told: () => void): Promise<void> {
    const heard = this.#heard;
    if (heard.pod === undefined) heard.iAm(await this.#options.ownPod());
    const { pod } = heard;
    if (pod === undefined || pod === 'none') return told();
    const get = async (path: string, hear: (answer: Answer) => void): Promise<boolean> => {
      const answer = await getObject(this.#options.connection, path, signal);
      hear(answer);
      return answer.kind !== 'silent';
    };
    // Every time: a DaemonSet that is made anew may have adopted our pod.
    const ofPod = await get(`/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`, (answer) =>
      heard.ofPod(answer, pod),
    );
    if (!heard.daemonSet) return ofPod ? told() : undefined;
    const path = `${daemonSetsPath(pod.namespace)}/${heard.daemonSet.name}`;
    await Promise.all([
      get(path, (answer) => heard.ofDaemonSet(answer)).then((answered) => answered && told()),
      get(`/api/v1/nodes/${encodeURIComponent(this.#options.node)}`, (answer) => heard.ofNode(answer)),
      get(`/api/v1/namespaces/${pod.namespace}`, (answer) => heard.ofNamespace(answer)),
    ]);
  }

  #reflector(): Reflector<DaemonSet> | undefined {
    const daemonSet = this.#heard.daemonSet;
    if (!daemonSet) return undefined;
    const { connection, random, log } = this.#options;
    return new Reflector(daemonSetNamed(daemonSet.namespace, daemonSet.name), this.#sink(), {
      connection,
      random,
      log,
      onEvent: (event) => {
        if (event === 'watching') this.#refused(undefined);
      },
      onFailure: (error) => {
        const answer = isAppError(error) ? answerIn(error) : undefined;
        if (answer?.kind === 'refused') this.#refused(answer.status);
      },
    });
  }

  #sink(): Sink<DaemonSet> {
    const stands = (daemonset: DaemonSet | 'gone'): void => {
      this.#heard.stands(daemonset);
      this.#options.onChange();
    };
    return {
      replace: ([daemonset]) => stands(daemonset ?? 'gone'),
      upsert: stands,
      remove: () => stands('gone'),
    };
  }

  #refused(status: number | undefined): void {
    this.#heard.refused(status);
    this.#options.onChange();
  }
}
