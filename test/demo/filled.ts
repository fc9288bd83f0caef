import { readFileSync } from 'node:fs';
import { loadYaml } from '@kubernetes/client-node';

/** A file of daemonset/. */
export const manifestAt = (path: string): URL => new URL(`../../daemonset/${path}`, import.meta.url);

/** The one object of a manifest of the demo or the tester, with these variables filled in as `envsubst` does. */
export function filled<T>(path: string, variables: Readonly<Record<string, string>>): T {
  const text = readFileSync(manifestAt(path), 'utf8').replace(/^#.*\n/gm, '');
  return loadYaml<T>(text.replace(/\$(\w+)/g, (_, name: string) => variables[name] ?? `no ${name}`));
}
