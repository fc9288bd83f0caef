import type { Environment } from '../config/parse.ts';

/** What the pod's manifest tells it of itself, as far as it does; for the first line of the log. */
export type OwnPod = Readonly<Record<string, string>>;

/** From PREFIX_NAMESPACE, PREFIX_NAME and PREFIX_IP, the variables of the original's manifests. */
export function ownPodIn(env: Environment, prefix: 'MY_POD' | 'E2E_TEST_POD'): OwnPod {
  const fields = ['namespace', 'name', 'ip'].map((field) => [field, env[`${prefix}_${field.toUpperCase()}`]]);
  return Object.fromEntries(fields.filter(([, value]) => value));
}
