/** How a run is told about its cluster. All are programs but the first; see scripts/e2e. */
export interface Settings {
  readonly kubeconfig: string;
  /** Called as CONTEXT NAME:TAG OUT.tar. */
  readonly build: string;
  /** Called with image archives. */
  readonly load: string;
  /** Called as CMD…, which it runs where the nodes route 169.254.169.254 to. */
  readonly onFabric: string;
  /** Called as NODE CMD…, which it runs in the node's network; undefined: a pod on the node does. */
  readonly onNode: string | undefined;
}

const needed = {
  KUBECONFIG: 'the kubeconfig of a cluster that nothing else needs',
  E2E_BUILD: 'a program, called as CONTEXT NAME:TAG OUT.tar, that builds a Dockerfile',
  E2E_LOAD: "a program, called with image archives, that puts them into the cluster's nodes",
  E2E_ON_FABRIC:
    'a program, called as CMD…, that runs CMD where the nodes route 169.254.169.254 to, in this file system',
} as const;

/** The settings, or what is missing in one sentence. */
export function settingsOf(env: Readonly<Record<string, string | undefined>>): Settings | string {
  const missing = Object.entries(needed).find(([name]) => !env[name]);
  if (missing) return `${missing[0]} is not set: it takes ${missing[1]}`;
  const at = (name: string): string => env[name] ?? '';
  return {
    kubeconfig: at('KUBECONFIG'),
    build: at('E2E_BUILD'),
    load: at('E2E_LOAD'),
    onFabric: at('E2E_ON_FABRIC'),
    onNode: env.E2E_ON_NODE || undefined,
  };
}
