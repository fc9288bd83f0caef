import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';
import { messageOf } from '../../lib/model/errors.ts';
import type { KubeInput, KubeObject } from '../lab/kube/object.ts';
import { type RunOptions, run } from './run.ts';

/** What `kubectl delete` may take until objects and their finalizers are gone, ms. */
const deleteMs = 120_000;

/** kubectl, which goes by KUBECONFIG. Every call rejects with kubectl's words where it fails. */
export class Kubectl {
  #run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return run(['kubectl', ...args], options);
  }

  async get(kind: string, name: string, namespace = 'default'): Promise<KubeObject | undefined> {
    const text = await this.#run([
      ...['get', kind, name, '-n', namespace, '-o', 'json', '--ignore-not-found'],
    ]);
    return text.trim() === '' ? undefined : (JSON.parse(text) as KubeObject);
  }

  /** `where`: such as `-n NAMESPACE`, `-A` or `-l LABEL=VALUE`. */
  async list(kind: string, ...where: readonly string[]): Promise<KubeObject[]> {
    const list = JSON.parse(await this.#run(['get', kind, '-o', 'json', ...where]));
    return (list as { items: KubeObject[] }).items;
  }

  async apply(...objects: readonly KubeInput[]): Promise<void> {
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.#run(['apply', '-f', '-'], { stdin });
  }

  /** The objects that a kustomization makes. */
  async render(folder: string): Promise<KubeInput[]> {
    return loadAllYaml(await this.#run(['kustomize', folder])) as KubeInput[];
  }

  async applyKustomization(folder: string): Promise<void> {
    await this.#run(['apply', '-k', folder], { timeoutMs: 120_000 });
  }

  /** Applies custom resource definitions, and waits until their objects can be applied. */
  async applyDefinitions(folder: string): Promise<void> {
    await this.applyKustomization(folder);
    const names = (await this.render(folder)).map(({ metadata }) => `crd/${metadata.name}`);
    await this.#run(['wait', '--for=condition=Established', '--timeout=60s', ...names], {
      timeoutMs: 90_000,
    });
  }

  /** As a kubectl that has never seen the cluster; gives what it complains of, '' where it ends well. */
  async applyUncached(folder: string): Promise<string> {
    const cache = mkdtempSync(join(tmpdir(), 'pod-identity-e2e-kubectl-'));
    try {
      await this.#run(['apply', '-k', folder, '--cache-dir', cache], { timeoutMs: 120_000 });
      return '';
    } catch (error) {
      return messageOf(error);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  }

  /** Waits until all of it is gone, and rejects when that takes longer than `seconds`. */
  async deleteKustomization(folder: string, seconds = 150): Promise<void> {
    await this.#run(['delete', '-k', folder, '--ignore-not-found', `--timeout=${seconds}s`], {
      timeoutMs: 180_000,
    });
  }

  /** `where` begins with the kind: `pod NAME -n NAMESPACE`. Waits until it is gone unless told `--wait=false`. */
  async delete(...where: readonly string[]): Promise<void> {
    await this.#run(['delete', ...where, '--ignore-not-found'], { timeoutMs: deleteMs });
  }

  async deleteObjects(...objects: readonly KubeInput[]): Promise<void> {
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.#run(['delete', '-f', '-', '--ignore-not-found'], { stdin, timeoutMs: deleteMs });
  }

  /** `where`: the kind, the name and the namespace. */
  async patch(
    where: readonly [kind: string, name: string, namespace: string],
    patch: unknown,
    type: 'merge' | 'strategic' = 'merge',
  ): Promise<void> {
    const [kind, name, namespace] = where;
    const body = JSON.stringify(patch);
    await this.#run(['patch', kind, name, '-n', namespace, `--type=${type}`, '-p', body]);
  }

  /** Waits until all pods of the workload, `daemonset/NAME`, are of its last version and ready. */
  async rolledOut(workload: string, namespace: string): Promise<void> {
    const seconds = 150;
    await this.#run(['rollout', 'status', workload, '-n', namespace, `--timeout=${seconds}s`], {
      timeoutMs: (seconds + 30) * 1_000,
    });
  }

  exec(namespace: string, pod: string, command: readonly string[], timeoutMs = 60_000): Promise<string> {
    return this.#run(['exec', '-n', namespace, pod, '--', ...command], { timeoutMs });
  }

  logs(namespace: string, pod: string, ...more: readonly string[]): Promise<string> {
    return this.#run(['logs', '-n', namespace, pod, ...more]);
  }

  /** For people: no JSON. */
  show(...args: readonly string[]): Promise<string> {
    return this.#run(args);
  }
}
