import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult } from '../../lib/platform/exec.ts';
import { addresses } from './addresses.ts';
import { type Agent, agentHandle } from './agent.ts';
import { type ArmClient, armClient } from './arm/control.ts';
import type { LabProcess, ProcessOptions } from './processes.ts';
import { folderOf } from './state.ts';

/** Where the lab's machines are, in Azure. */
export const azureHome = {
  subscription: '5ab00000-0000-4000-8000-000000000000',
  resourceGroup: 'MC_lab',
} as const;

export interface MicOptions {
  /** Flags beside or instead of the usual ones. */
  readonly flags?: Readonly<Record<string, string | number | boolean>>;
  /** Fields of azure.json beside or instead of the usual ones. */
  readonly azureJson?: Readonly<Record<string, string | boolean>>;
  /** Files of certificates that it trusts beside ARM's. */
  readonly trusted?: readonly string[];
}

/** A controller as its own process beside the agent on the node. */
export type Mic = Agent;

/** What a lab has for standard mode with our own MIC. */
export interface ControllerSide {
  /** Azure Resource Manager, on Azure's address. Not there before, and to be started once. */
  startArm(): Promise<ArmClient>;
  /** The first on the usual ports, each further one ten above. */
  startMic(options?: MicOptions): Mic;
}

export interface ControllerDoors {
  readonly simulator: (name: string, listen: string) => Promise<void>;
  readonly start: (
    name: string,
    command: ProcessOptions['command'],
    env: Readonly<Record<string, string>>,
  ) => LabProcess;
  readonly onNode: (command: readonly string[]) => Promise<ExecResult>;
}

const armPort = 8443;
const program = join(import.meta.dirname, '../../bin/mic');

/** Lab `id`'s. */
export function controllerSide(id: string, { simulator, start, onNode }: ControllerDoors): ControllerSide {
  const at = (name: string): string => join(folderOf(id), name);
  let started = 0;
  return {
    startArm: async () => {
      await simulator('arm', `${addresses.azure}:${armPort}`);
      const origin = `https://${addresses.azure}:${armPort}`;
      const files = { caFile: at('arm-ca.crt'), environmentFile: at('azure-environment.json') };
      return armClient(at('arm.sock'), { origin, ...files });
    },
    startMic: ({ flags: given = {}, azureJson = {}, trusted = [] } = {}) => {
      started += 1;
      writeFileSync(at('azure.json'), JSON.stringify({ ...usualAzureJson, ...azureJson }));
      const certificates = [at('arm-ca.crt'), ...trusted].map((file) => readFileSync(file, 'utf8'));
      writeFileSync(at('mic-ca.crt'), certificates.join('\n'));
      const kubeconfig = readFileSync(at('kubeconfig'), 'utf8').replaceAll('nmi-token', 'mic-token');
      writeFileSync(at('mic.kubeconfig'), kubeconfig, { mode: 0o600 });
      const flags = { ...usualFlags(started, at), ...given };
      const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
      const env = {
        MIC_POD_NAMESPACE: 'default',
        NODE_EXTRA_CA_CERTS: at('mic-ca.crt'),
        AZURE_ENVIRONMENT_FILEPATH: at('azure-environment.json'),
      };
      return agentHandle(start(`mic${started}`, [program, ...args], env), { flags }, onNode);
    },
  };
}

/** MIC proves itself by the VM's system-assigned identity. */
const usualAzureJson = {
  cloud: 'AzureStackCloud',
  tenantId: '7e000000-0000-4000-8000-000000000000',
  subscriptionId: azureHome.subscription,
  resourceGroup: azureHome.resourceGroup,
  useManagedIdentityExtension: true,
  userAssignedIdentityID: '',
};

function usualFlags(number: number, at: (name: string) => string): Record<string, string | number> {
  return {
    kubeconfig: at('mic.kubeconfig'),
    cloudconfig: at('azure.json'),
    'leader-election-instance': `mic-${number}`,
    'leader-election-duration': '4s',
    clientQps: 200,
    'unassign-grace': '0',
    'http-probe-port': 8070 + 10 * number,
    'prometheus-port': 8878 + 10 * number,
    'log-format': 'json',
  };
}
