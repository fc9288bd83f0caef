import type { SeenBinding, SeenIdentity } from '../../assign/snapshot.ts';
import type { AssignedObject, MicPod } from '../../model/assigned-object.ts';
import type { AzurePodIdentityException } from '../../model/exception.ts';
import type { Agent, Workload } from '../agents/agent.ts';
import type { AgentSet } from '../agents/read.ts';
import type { Component } from '../agents/standing.ts';
import type { Mode } from '../explain/mode.ts';
import type { Told } from '../told.ts';
import type { Access } from './access.ts';
import type { EgressPolicy } from './egress.ts';
import type { Odd } from './letter-case.ts';

/** A pod of any node. */
export interface SeenPod extends MicPod {
  /** Of its node, '' until it runs. */
  readonly hostIp: string;
  readonly hostNetwork: boolean;
  /** Environment variables that its containers are given and that lead SDKs away from IMDS. */
  readonly misleading: readonly string[];
}

export interface SeenNode {
  readonly name: string;
  readonly providerId: string;
  /** Label `kubernetes.io/os`. */
  readonly os: string;
}

/** A DaemonSet or Deployment. */
export interface Controller {
  readonly kind: 'DaemonSet' | 'Deployment';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly string[];
}

/** A ClusterRole, as far as it tells whose it is and what it gives. */
export interface Role {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `get secrets` */
  readonly rights: readonly string[];
}

/** What an agent has logged since its start, as far as it is kept. */
export interface AgentLog {
  readonly agent: Agent;
  readonly lines: readonly string[];
}

/** What a failing probe of a pod said last. */
export interface Complaint {
  readonly namespace: string;
  readonly pod: string;
  readonly message: string;
}

/** An identity, a binding or an exception, and what it is beside what agents and MIC read of it. */
export type Written<T> = T & {
  readonly odd: readonly Odd[];
  /** AKS's add-on made it. */
  readonly addOn: boolean;
};

/** All that the checks look at. Reading it is read.ts's. */
export interface Facts {
  /** How the agents decide; untold where that would be a guess. */
  readonly mode: Told<Mode>;
  readonly agents: Told<readonly Agent[]>;
  readonly agentSets: Told<readonly AgentSet[]>;
  readonly mics: Told<readonly Workload[]>;
  /** Pods that look like agents or MICs and are none of the cluster's. */
  readonly strangers: Readonly<Record<Component, readonly Workload[]>>;
  readonly pods: Told<readonly SeenPod[]>;
  readonly nodes: Told<readonly SeenNode[]>;
  readonly identities: Told<readonly Written<SeenIdentity>[]>;
  readonly bindings: Told<readonly Written<SeenBinding>[]>;
  readonly exceptions: Told<readonly Written<AzurePodIdentityException>[]>;
  readonly assigned: Told<readonly AssignedObject[]>;
  /** `azureidentities my-app/demo` of objects whose fields have wrong types: the agents take them for absent. */
  readonly unreadable: readonly string[];
  readonly policies: Told<readonly EgressPolicy[]>;
  readonly daemonSets: Told<readonly Controller[]>;
  readonly deployments: Told<readonly Controller[]>;
  readonly roles: Told<readonly Role[]>;
  readonly logs: Told<readonly AgentLog[]>;
  readonly complaints: Told<readonly Complaint[]>;
  /** Data of Cilium's ConfigMap; none without one. */
  readonly cilium: Told<readonly Readonly<Record<string, string>>[]>;
  readonly access: Told<readonly Access[]>;
}
