import type { ResourceId } from './resource-id.ts';

const other = 'another identity of the machine';
/** An ARM id, or its end from the provider on; `…` where the message was cut. */
const token = /(?:\/subscriptions\/|microsoft\.managedidentity\/)[^\s'",;\\<>]*/gi;
/** Not the name of an action. */
const identity =
  /microsoft\.managedidentity\/userassignedidentities\/(?!(?:\*|assign|read|write|delete)(?:\/|$))/;
const several = new RegExp(`${other}(?:, ?${other})+`, 'g');

/**
 * ARM's words for those who may know of `own` alone: a batch has the identities of many tenants, and ARM blames any of them, in
 * events that each of them reads. What is in the log stays whole.
 */
export function ownWords(text: string, own: ResourceId): string {
  return text.replace(token, (found) => told(found, own)).replace(several, 'other identities of the machine');
}

function told(found: string, own: ResourceId): string {
  const end = /[….:)]*$/.exec(found)?.[0] ?? '';
  const name = found.slice(0, found.length - end.length).toLowerCase();
  const isCut = end.includes('…');
  const isOwn = isCut ? own.startsWith(name) : own === found.toLowerCase() || `/${own}`.endsWith(`/${name}`);
  const isIdentity = identity.test(name) || (isCut && !name.includes('/providers/microsoft.compute/'));
  return isIdentity && !isOwn ? `${other}${end}` : found;
}
