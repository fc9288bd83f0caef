import { join } from 'node:path';

/** What a client is told. The ids are those of one identity. */
export interface Question {
  readonly resource: string;
  readonly clientId: string;
  readonly resourceId: string;
  /** Azure Resource Manager's stand-in, for clients that ask there too. */
  readonly arm: { readonly origin: string; readonly caFile: string };
}

/** A way to get a token as users do: a program that prints it, or ends with another status than 0 and its reason on stderr. */
export interface Client {
  /** Short, of a-z and hyphens; part of its pods' names. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** It asks again by itself after a 404 and a 429. */
  readonly retries: boolean;
  /** Its error has the words of a refusal in it. */
  readonly repeats: boolean;
  command(question: Question): readonly string[];
}

/** How an SDK is told which identity; `key` is what the programs of `clients/` are told. */
export const ways = [
  { key: 'client-id', how: 'by client id' },
  { key: 'resource-id', how: 'by resource id' },
  { key: 'none', how: 'given no id' },
] as const;

/** The last two arguments of those programs: resource and id. */
export function asked(way: string, { resource, clientId, resourceId }: Question): string[] {
  return [resource, way === 'resource-id' ? resourceId : clientId];
}

/** Before an SDK's command. A pod has no az, with which DefaultAzureCredential would go on where the machine has it. */
export const withoutAz = ['env', 'PATH=/nonexistent'] as const;

/** Path of a program of `clients/`. */
export function program(name: string): string {
  return join(import.meta.dirname, 'clients', name);
}
