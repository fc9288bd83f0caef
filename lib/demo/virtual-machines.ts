import type { HttpClient } from '../platform/http.ts';
import { askJson, failure, type Got } from '../workload/ask.ts';

export interface Arm {
  readonly http: HttpClient;
  /** `https://management.azure.com` */
  readonly origin: string;
  readonly userAgent: string;
}

export interface ResourceGroup {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
}

/** ARM gives up on a request itself after 60 s. */
const deadlineMs = 65_000;
/** 50 to 200 VMs each, by their size. */
const mostPages = 100;

/** How many VMs the resource group has, by all pages of ARM's list. Those of scale sets do not count, as in the original. */
export async function countVirtualMachines(
  { http, origin, userAgent }: Arm,
  bearer: string,
  { subscriptionId, resourceGroup }: ResourceGroup,
): Promise<Got<number>> {
  const group = `/subscriptions/${encodeURIComponent(subscriptionId)}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
  let path = `${group}/providers/Microsoft.Compute/virtualMachines?api-version=2019-12-01`;
  let count = 0;
  for (let page = 0; page < mostPages; page++) {
    const whom = 'Azure Resource Manager';
    const got = await askJson(http, { whom, path, headers: { 'user-agent': userAgent }, deadlineMs, bearer });
    if (got.kind === 'failure') return got;
    const { value, nextLink } = got.value;
    if (!Array.isArray(value)) return failure(`${whom} answered 200 without a list of VMs`, true);
    count += value.length;
    if (typeof nextLink !== 'string' || nextLink === '') return { kind: 'got', value: count };
    const next = URL.parse(nextLink);
    // The token is for ARM: whoever else a page names does not get it.
    if (next?.origin !== new URL(origin).origin)
      return failure(`${whom} named a next page that is not its own`, false);
    path = next.pathname + next.search;
  }
  return failure(`the list has more than ${mostPages} pages`, false);
}
