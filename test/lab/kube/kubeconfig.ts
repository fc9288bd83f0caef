import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Json } from './object.ts';

/** A kubeconfig with one context, as JSON (which is YAML). */
export function writeKubeconfig(server: string, ca: string, token: string): string {
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster }],
    users: [{ name: 'lab', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
    'current-context': 'lab',
  });
}

/** The current context of a kubeconfig with a token. client-node is loaded only for YAML: it costs 0.6 s. */
export async function readKubeconfig(path: string): Promise<{ server: string; ca: string; token: string }> {
  const text = await readFile(path, 'utf8');
  const config = (text.trimStart().startsWith('{') ? JSON.parse(text) : await parseYaml(text)) as Json;
  const named = (list: unknown, name: unknown, what: string): Json => {
    const found = (Array.isArray(list) ? list : []).find((entry: Json) => entry.name === name);
    return found?.[what] ?? {};
  };
  const context = named(config.contexts, config['current-context'], 'context');
  const cluster = named(config.clusters, context.cluster, 'cluster');
  const user = named(config.users, context.user, 'user');
  const data = cluster['certificate-authority-data'];
  const file = resolve(dirname(path), String(cluster['certificate-authority'] ?? ''));
  const ca = data ? Buffer.from(String(data), 'base64').toString() : await readFile(file, 'utf8');
  return { server: String(cluster.server), ca, token: String(user.token ?? '') };
}

async function parseYaml(text: string): Promise<unknown> {
  const { loadYaml } = await import('@kubernetes/client-node');
  return loadYaml(text);
}
