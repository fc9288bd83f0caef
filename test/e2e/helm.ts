import { join } from 'node:path';
import { helm as program } from '../daemonset/render.ts';
import { run } from './run.ts';

const folder = join(import.meta.dirname, '../../daemonset/chart');
/** The name that the original's documentation gives the release. */
const release = 'aad-pod-identity';

/** helm, which goes by KUBECONFIG, on one release of the chart. Every call rejects with helm's words where it fails. */
export class Helm {
  readonly #where: readonly string[];

  constructor(namespace: string) {
    this.#where = ['--namespace', namespace];
  }

  install(values: object): Promise<string> {
    return this.#run('install', values);
  }

  upgrade(values: object): Promise<string> {
    return this.#run('upgrade', values);
  }

  /** Waits until its objects are gone; does nothing where there is no release. */
  uninstall(): Promise<string> {
    const args = ['uninstall', release, ...this.#where, '--ignore-not-found', '--wait', '--timeout=2m'];
    return run([program, ...args], { timeoutMs: 150_000 });
  }

  #run(verb: string, values: object): Promise<string> {
    const args = [verb, release, folder, ...this.#where, '--values', '-'];
    return run([program, ...args], { stdin: JSON.stringify(values), timeoutMs: 120_000 });
  }
}
