import { readdirSync, readFileSync } from 'node:fs';
import { loadAllYaml, loadYaml } from '@kubernetes/client-node';
import { root } from './pages.ts';

/** The workloads of our plain manifests as kubectl names them: `daemonset/nmi`. */
export function workloads(): ReadonlySet<string> {
  const folder = new URL('daemonset/', root);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.yaml') && !/^(chart|dashboards)\//.test(file),
  );
  const objects = files.flatMap((file) => loadAllYaml(readFileSync(new URL(file, folder), 'utf8')));
  return new Set(
    (objects as { readonly kind?: string; readonly metadata?: { readonly name?: string } }[])
      .filter(({ kind = '' }) => ['DaemonSet', 'Deployment', 'Job'].includes(kind))
      .map(({ kind = '', metadata }) => `${kind.toLowerCase()}/${metadata?.name}`),
  );
}

/** True when the chart has a value of this path: `rbac.allowAccessToSecrets`. */
export function isChartValue(path: string): boolean {
  const values = loadYaml(readFileSync(new URL('daemonset/chart/values.yaml', root), 'utf8'));
  let at: unknown = values;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return true;
}
