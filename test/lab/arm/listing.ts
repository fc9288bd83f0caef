import type { Azure } from './azure.ts';

const vmsPath =
  /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+\/providers\/microsoft\.compute\/virtualmachines$/i;

/** What ARM answers to a GET of all VMs of a resource group, those of scale sets not among them; undefined for any other path. */
export function vmsAt(path: string, azure: Azure): object | undefined {
  if (!vmsPath.test(path)) return undefined;
  const below = `${path.toLowerCase()}/`;
  const value = azure.ids().flatMap((id) => (id.startsWith(below) ? (azure.resource(id) ?? []) : []));
  return { value };
}
