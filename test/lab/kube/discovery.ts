import { apiVersionOf, type Kind, kinds } from './kinds.ts';
import type { Json } from './object.ts';

/** What kubectl asks before it does anything: which groups and resources there are. Undefined for other paths. */
export function discover(path: string, hidden: ReadonlySet<string>): Json | string | undefined {
  const visible = kinds.filter((row) => !hidden.has(row.plural));
  if (['/healthz', '/livez', '/readyz'].includes(path)) return 'ok';
  if (path === '/version') return { major: '1', minor: '20', gitVersion: 'v1.20.0-lab' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [...new Set(visible.map((row) => row.group))].filter(Boolean).map(group),
    };
  }
  const rows = visible.filter((row) => path === `/${row.group ? 'apis' : 'api'}/${apiVersionOf(row)}`);
  if (rows.length === 0) return undefined;
  const groupVersion = path.replace(/^\/apis?\//, '');
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: rows.flatMap(resources) };
}

/** So that people can type what they are used to. */
const shortNames: Readonly<Record<string, string>> = {
  pods: 'po',
  nodes: 'no',
  namespaces: 'ns',
  events: 'ev',
  configmaps: 'cm',
  daemonsets: 'ds',
};

function group(name: string): Json {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

function resources({ plural, kind, namespaced, status }: Kind): Json[] {
  const row = { singularName: kind.toLowerCase(), namespaced, kind };
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
  const short = shortNames[plural];
  const whole = { name: plural, ...row, verbs, ...(short ? { shortNames: [short] } : {}) };
  return status ? [whole, { name: `${plural}/status`, ...row, verbs: ['patch', 'update'] }] : [whole];
}
