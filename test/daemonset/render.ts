import { join } from 'node:path';
import { systemExec } from '../../lib/platform/exec.ts';
import { daemonset, documentsIn, type Manifest } from './manifests.ts';

const { KUBECTL: kubectl = 'kubectl' } = process.env;
export const { HELM: helm = 'helm' } = process.env;
/** For a program on a busy machine, ms. */
const timeoutMs = 120_000;

async function answers(program: string, args: readonly string[]): Promise<string | undefined> {
  const answer = await systemExec(program, args, { timeoutMs }).catch(() => undefined);
  return answer?.code === 0 ? answer.stdout : undefined;
}

/** Why overlays cannot be rendered here, for `skip`; false where they can. */
export async function withoutKubectl(): Promise<string | false> {
  const version = await answers(kubectl, ['version', '--client', '-o', 'json']);
  const [, minor = '0'] = /"minor": "(\d+)/.exec(version ?? '') ?? [];
  return Number(minor) >= 22 ? false : 'no kubectl of 1.22 or newer on PATH or in KUBECTL';
}

export async function withoutHelm(): Promise<string | false> {
  const version = await answers(helm, ['version', '--short']);
  return version?.startsWith('v3') || version?.startsWith('v4') ? false : 'no helm on PATH or in HELM';
}

/** What `kubectl apply -k` of that folder would send. */
export async function overlay(folder: string): Promise<readonly Manifest[]> {
  const { code, stdout, stderr } = await systemExec(kubectl, ['kustomize', join(daemonset, folder)], {
    timeoutMs,
  });
  if (code !== 0) throw new Error(stderr);
  return documentsIn(stdout);
}

/** What `helm install` would send for a cluster of that version, or why it refuses. */
export async function chart({
  values = {},
  namespace = 'default',
  version = '1.30.0',
}: {
  readonly values?: object;
  readonly namespace?: string;
  readonly version?: string;
} = {}): Promise<{ readonly objects: readonly Manifest[]; readonly refusal: string }> {
  const where = ['--namespace', namespace, '--kube-version', version];
  const args = ['template', 'aad-pod-identity', join(daemonset, 'chart'), ...where, '--values', '-'];
  const stdin = JSON.stringify(values);
  const { code, stdout, stderr } = await systemExec(helm, args, { timeoutMs, stdin });
  return code === 0 ? { objects: documentsIn(stdout), refusal: '' } : { objects: [], refusal: stderr };
}

export function lint(): Promise<{ readonly code: number; readonly stdout: string }> {
  return systemExec(helm, ['lint', '--strict', join(daemonset, 'chart')], { timeoutMs });
}
