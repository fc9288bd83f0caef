import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArmClient, armClient } from '../lab/arm/control.ts';
import { type ImdsClient, imdsClient } from '../lab/imds/client.ts';
import type { LabProcess } from '../lab/processes.ts';
import { type GateClient, gateClient } from './gate/client.ts';
import type { Kubectl } from './kubectl.ts';
import { fabric, programs, startProgram } from './programs.ts';

/** What stands behind the nodes: Azure, and the gate to the API server. */
export interface Behind {
  readonly imds: ImdsClient;
  readonly arm: ArmClient;
  readonly gate: GateClient;
  /** PEM. */
  readonly gateCa: string;
  /** Ends all of it and removes its files; its last words are lost then. */
  stop(): Promise<void>;
  /** What the simulators have written. */
  output(): string;
}

export async function startBehind(kubectl: Kubectl, onFabric: string): Promise<Behind> {
  const dir = mkdtempSync(join(tmpdir(), 'pod-identity-e2e-'));
  const running: LabProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((program) => program.stop()));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    writeFileSync(join(dir, 'api-ca.crt'), await caOf(kubectl));
    const server = await serverOf(kubectl);
    const where = { onFabric, dir };
    running.push(await startProgram('imds', where));
    running.push(await startProgram('arm', where));
    running.push(await startProgram('gate', where, '--server', server));
  } catch (error) {
    await stop();
    throw error;
  }
  const at = (name: string): string => join(dir, name);
  const files = { caFile: at('arm-ca.crt'), environmentFile: at('azure-environment.json') };
  return {
    imds: imdsClient(at('imds.sock')),
    arm: armClient(at('arm.sock'), { origin: `https://${fabric}:${programs.arm.port}`, ...files }),
    gate: gateClient(at('gate.sock')),
    gateCa: readFileSync(at('gate-ca.crt'), 'utf8'),
    stop,
    output: () => running.map((program) => program.output()).join('\n'),
  };
}

/** Where the API server listens behind its Service. */
async function serverOf(kubectl: Kubectl): Promise<string> {
  const endpoints = await kubectl.get('endpoints', 'kubernetes');
  const [subset] = (endpoints?.subsets ?? []) as readonly {
    readonly addresses: readonly { readonly ip: string }[];
    readonly ports: readonly { readonly port: number }[];
  }[];
  const [ip, port] = [subset?.addresses[0]?.ip, subset?.ports[0]?.port];
  if (!ip || !port) throw new Error('the Service kubernetes of the cluster has no endpoint');
  return `https://${ip}:${port}`;
}

async function caOf(kubectl: Kubectl): Promise<string> {
  const found = await kubectl.get('configmap', 'kube-root-ca.crt', 'kube-system');
  const ca = (found?.data as Record<string, string> | undefined)?.['ca.crt'];
  if (!ca) throw new Error('the cluster has no ConfigMap kube-root-ca.crt in kube-system');
  return ca;
}
