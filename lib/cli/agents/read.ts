import type { NmiConfig } from '../../config/nmi-flags.ts';
import type { Connection } from '../../kube/connection.ts';
import { parseDaemonSet } from '../../kube/daemonsets.ts';
import { parsing, record, records } from '../../kube/fields.ts';
import { listAll } from '../../kube/list.ts';
import type { Resource } from '../../kube/resource.ts';
import type { DaemonSet } from '../../model/ownership.ts';
import { podKey } from '../../model/pod.ts';
import { orNone, type Told, told, toldList } from '../told.ts';
import {
  type Agent,
  accountOf,
  anyHost,
  isLabelled,
  isOriginals,
  labelsOf,
  mainContainer,
  parseAgent,
  parseMic,
  type Workload,
} from './agent.ts';
import { settingsOf } from './settings.ts';
import { type Claim, type Component, Standing } from './standing.ts';

/** A DaemonSet that brings agents. */
export interface AgentSet extends DaemonSet, Claim {
  readonly settings: NmiConfig | string;
  /** The image is the original's. */
  readonly original: boolean;
  /** Which of its containers is the agent, and whether that has `args`: what a patch has to know. */
  readonly container: number;
  readonly hasArgs: boolean;
}

/** NMI and MIC in a cluster: those that only look like them are left out. One look at the cluster has one of these. */
export class Programs {
  readonly #connection: Connection;
  readonly #signal: AbortSignal;
  readonly #standing: Standing;
  readonly #strangers: { nmi: readonly Workload[]; mic: readonly Workload[] } = { nmi: [], mic: [] };

  constructor(connection: Connection, signal: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
    this.#standing = new Standing(connection, signal);
  }

  /** The pods of NMI, of all nodes and namespaces. */
  agents(): Promise<Told<readonly Agent[]>> {
    return this.#labelled('nmi', parseAgent);
  }

  /** The pods of MIC. */
  mics(): Promise<Told<readonly Workload[]>> {
    return this.#labelled('mic', parseMic);
  }

  /** Pods that were left out when these were last read: nobody's but their author's, or of a program that has lost its rights. */
  strangers(component: Component): readonly Workload[] {
    return this.#strangers[component];
  }

  /** The DaemonSets whose pods are NMI's, of all namespaces. */
  async agentSets(): Promise<Told<readonly AgentSet[]>> {
    const resource: Resource<AgentSet> = {
      name: 'daemonsets',
      path: '/apis/apps/v1/daemonsets',
      parse: parseSet,
    };
    return this.#standing.of('nmi', await toldList(this.#connection, resource, this.#signal));
  }

  /** One list for each of the two labels: a label selector knows no "or" between keys. */
  async #labelled<T extends Workload>(
    component: Component,
    parse: (raw: unknown) => T | undefined,
  ): Promise<Told<readonly T[]>> {
    const of = (label: string): Resource<T> => ({
      name: 'pods',
      path: '/api/v1/pods',
      query: { labelSelector: `${label}=${component}` },
      parse,
    });
    const resources = [of('component'), of('app.kubernetes.io/component')];
    const lists = Promise.all(resources.map((each) => listAll(this.#connection, each, this.#signal)));
    const byKey = lists.then((all) => {
      const entries = all.flatMap(({ items }) => items.map((item) => [podKey(item), item] as const));
      return [...new Map(entries).values()];
    });
    const claims = await told(of('component'), byKey);
    const held = await this.#standing.of(component, claims);
    const own = new Set(orNone(held));
    this.#strangers[component] = held.kind === 'told' ? orNone(claims).filter((each) => !own.has(each)) : [];
    return held;
  }
}

function parseSet(raw: unknown): AgentSet | undefined {
  const daemonSet = parseDaemonSet(raw);
  return parsing(raw, (object) => {
    const template = record(record(object, 'spec'), 'template');
    const spec = record(template, 'spec');
    if (!daemonSet || spec.hostNetwork !== true || !isLabelled(labelsOf(template), 'nmi')) return undefined;
    const main = mainContainer(spec, 'nmi');
    return {
      ...daemonSet,
      account: accountOf(spec),
      settings: settingsOf(main, anyHost),
      original: isOriginals(String(main.image)),
      container: Math.max(0, records(spec, 'containers').indexOf(main)),
      hasArgs: Array.isArray(main.args),
    };
  });
}
