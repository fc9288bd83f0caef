import { loadAllYaml } from '@kubernetes/client-node';
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

  async deleteKustomization(folder: string): Promise<void> {
    await this.#run(['delete', '-k', folder, '--ignore-not-found', '--timeout=150s'], { timeoutMs: 180_000 });
  }

  /** `where` begins with the kind: `pod NAME -n NAMESPACE`. Waits until it is gone unless told `--wait=false`. */
  async delete(...where: readonly string[]): Promise<void> {
    await this.#run(['delete', ...where, '--ignore-not-found'], { timeoutMs: deleteMs });
  }

  async deleteObjects(...objects: readonly KubeInput[]): Promise<void> {
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await this.#run(['delete', '-f', '-', '--ignore-not-found'], { stdin, timeoutMs: deleteMs });
  }

  async patch(kind: string, name: string, namespace: string, patch: unknown): Promise<void> {
    const body = JSON.stringify(patch);
    await this.#run(['patch', kind, name, '-n', namespace, '--type=merge', '-p', body]);
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
