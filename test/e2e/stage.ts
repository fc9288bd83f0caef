import { join } from 'node:path';
import type { Home } from './agents.ts';
import type { Behind } from './azure.ts';
import type { Kubectl } from './kubectl.ts';
import type { ScaleSet } from './machines.ts';
import type { Nodes } from './nodes.ts';

/** What a scenario plays on. */
export interface Stage extends Pick<Behind, 'imds' | 'arm' | 'gate'> {
  readonly kubectl: Kubectl;
  readonly nodes: Nodes;
  /** What the nodes are in Azure. */
  readonly machines: readonly ScaleSet[];
}

/** One row of the table. It rejects where its promise is broken; that no pod passed by is looked at after each. */
export interface Scenario {
  readonly name: string;
  /** The others cannot go without it: when it fails, the run ends. */
  readonly decisive?: true;
  readonly run: (stage: Stage) => Promise<void>;
}

/** A mode of operation, and how it is installed. */
export interface Install {
  readonly home: Home;
  /** Kustomizations: as it is installed, and the same by way of the gate. */
  readonly plain: string;
  readonly gated: string;
}

/** The custom resource definitions alone, as a kustomization. */
export const definitions = join(import.meta.dirname, '../../daemonset/crds');

const overlay = (name: string): string => join(import.meta.dirname, 'overlays', name);

export const managed: Install = {
  home: 'kube-system',
  plain: overlay('managed'),
  gated: overlay('managed-gate'),
};

export const standard: Install = {
  home: 'default',
  plain: overlay('standard'),
  gated: overlay('standard-gate'),
};
