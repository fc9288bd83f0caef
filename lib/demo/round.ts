import { askJson, type Got } from '../workload/ask.ts';
import { askToken, claimsOf, type Imds, imdsDeadlineMs, msiEndpointOf } from '../workload/token.ts';
import { type Arm, countVirtualMachines, type ResourceGroup } from './virtual-machines.ts';

/** One line of the log. */
export interface Line {
  readonly level: 'info' | 'error';
  readonly text: string;
}

export interface RoundOptions {
  readonly imds: Imds;
  readonly arm: Arm;
  /** For whom ARM takes tokens. */
  readonly armAudience: string;
  /** For whom the tokens are that are asked for. */
  readonly resource: string;
  /** '' skips what needs it. */
  readonly clientId: string;
  /** Undefined skips the call to ARM. */
  readonly group: ResourceGroup | undefined;
}

/**
 * What the original does in one round, line by line as it comes: VMs counted, a token by default, a token by client id, an
 * instance document. The lines of success are the original's, word by word, since its documentation tells users to look for
 * them. What fails is told, and the round goes on. No line holds a token or a document.
 */
export async function* round(options: RoundOptions): AsyncGenerator<Line, void> {
  const { imds, resource, clientId, group } = options;
  if (group) yield await countLine(options, group);
  const msi = `msiEndpoint(${msiEndpointOf(imds)})`;
  const byDefault = await askToken(imds, { resource });
  const usual = `a token using the MSI, ${msi}`;
  yield lineOf(byDefault, `acquired ${usual}`, `acquire ${usual}`);
  if (clientId !== '') {
    const byId = await askToken(imds, { resource, clientId });
    const named = `a token, userAssignedID MSI, ${msi} clientID(${clientId})`;
    yield lineOf(byId, `acquired ${named}`, `acquire ${named}`);
    const differ = byDefault.kind === 'got' && byId.kind === 'got' && !sameOwner(byDefault.value, byId.value);
    if (differ)
      yield { level: 'error', text: `the token without a client id is not clientID(${clientId})'s` };
  }
  yield lineOf(await getInstance(imds), 'made GET on instance metadata', 'make GET on instance metadata');
}

async function countLine(
  { imds, arm, armAudience, clientId }: RoundOptions,
  group: ResourceGroup,
): Promise<Line> {
  const token = await askToken(imds, { resource: armAudience, ...(clientId === '' ? {} : { clientId }) });
  const counted = token.kind === 'got' ? await countVirtualMachines(arm, token.value, group) : token;
  const count = counted.kind === 'got' ? counted.value : 0;
  return lineOf(counted, `doARMOperations vm count ${count}`, `doARMOperations in ${group.resourceGroup}`);
}

/** The version that the original asked for. */
function getInstance({ http, userAgent }: Imds): Promise<Got<unknown>> {
  const path = '/metadata/instance?api-version=2017-08-01';
  const headers = { metadata: 'true', 'user-agent': userAgent };
  return askJson(http, { whom: 'the metadata service', path, headers, deadlineMs: imdsDeadlineMs });
}

function lineOf(got: Got<unknown>, done: string, tried: string): Line {
  if (got.kind === 'got') return { level: 'info', text: `successfully ${done}` };
  return { level: 'error', text: `failed to ${tried}: ${got.why}` };
}

/** Two tokens of one identity differ where one was renewed in between. */
function sameOwner(one: string, other: string): boolean {
  return (
    one === other || (claimsOf(one).appid !== undefined && claimsOf(one).appid === claimsOf(other).appid)
  );
}
