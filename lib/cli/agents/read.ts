import type { NmiConfig } from '../../config/nmi-flags.ts';
import type { Connection } from '../../kube/connection.ts';
import { parseDaemonSet } from '../../kube/daemonsets.ts';
import { parsing, record } from '../../kube/fields.ts';
import { listAll } from '../../kube/list.ts';
import type { Resource } from '../../kube/resource.ts';
import type { DaemonSet } from '../../model/ownership.ts';
import { podKey } from '../../model/pod.ts';
import { type Told, told, toldList } from '../told.ts';
import {
  type Agent,
  anyHost,
  isLabelled,
  labelsOf,
  mainContainer,
  parseAgent,
  parseMic,
  type Workload,
} from './agent.ts';
import { settingsOf } from './settings.ts';

/** A DaemonSet that brings agents. */
export interface AgentSet extends DaemonSet {
  readonly settings: NmiConfig | string;
}

/** The pods of NMI, of all nodes and namespaces. */
export function readAgents(connection: Connection, signal: AbortSignal): Promise<Told<readonly Agent[]>> {
  return readLabelled(connection, 'nmi', parseAgent, signal);
}

/** The pods of MIC. */
export function readMics(connection: Connection, signal: AbortSignal): Promise<Told<readonly Workload[]>> {
  return readLabelled(connection, 'mic', parseMic, signal);
}

/** The DaemonSets whose pods are NMI's, of all namespaces. */
export function readAgentSets(
  connection: Connection,
  signal: AbortSignal,
): Promise<Told<readonly AgentSet[]>> {
  const resource: Resource<AgentSet> = {
    name: 'daemonsets',
    path: '/apis/apps/v1/daemonsets',
    parse: parseSet,
  };
  return toldList(connection, resource, signal);
}

/** One list for each of the two labels: a label selector knows no "or" between keys. */
async function readLabelled<T extends { readonly namespace: string; readonly name: string }>(
  connection: Connection,
  component: 'nmi' | 'mic',
  parse: (raw: unknown) => T | undefined,
  signal: AbortSignal,
): Promise<Told<readonly T[]>> {
  const of = (label: string): Resource<T> => ({
    name: 'pods',
    path: '/api/v1/pods',
    query: { labelSelector: `${label}=${component}` },
    parse,
  });
  const resources = [of('component'), of('app.kubernetes.io/component')];
  const lists = Promise.all(resources.map((resource) => listAll(connection, resource, signal)));
  const byKey = lists.then((all) => {
    const entries = all.flatMap(({ items }) => items.map((item) => [podKey(item), item] as const));
    return [...new Map(entries).values()];
  });
  return told(of('component'), byKey);
}

function parseSet(raw: unknown): AgentSet | undefined {
  const daemonSet = parseDaemonSet(raw);
  return parsing(raw, (object) => {
    const template = record(record(object, 'spec'), 'template');
    if (!daemonSet || !isLabelled(labelsOf(template), 'nmi')) return undefined;
    return { ...daemonSet, settings: settingsOf(mainContainer(record(template, 'spec'), 'nmi'), anyHost) };
  });
}
