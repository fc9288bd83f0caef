import { type Cloud, clouds } from '../model/clouds.ts';
import { clean } from '../model/text.ts';

const custom = 'AzureStackCloud';

/** Where the description of a custom cloud is found. */
export const environmentFileVariable = 'AZURE_ENVIRONMENT_FILEPATH';

/**
 * The cloud of this name, in any letter case, or why there is none: one sentence. `described` is the text of the file that
 * AZURE_ENVIRONMENT_FILEPATH names, undefined where it names none or cannot be read; only AzureStackCloud needs it.
 */
export function cloudNamed(name: string, described: string | undefined): Cloud | string {
  const lower = name.toLowerCase();
  if (lower === custom.toLowerCase()) return customCloud(described);
  if (lower === 'azuregermancloud') return 'AzureGermanCloud was shut down in October 2021';
  const known = clouds.get(lower);
  if (known) return known;
  const names = 'AzurePublicCloud, AzureUSGovernmentCloud, AzureChinaCloud or AzureStackCloud';
  return name === '' ? `it takes ${names}` : `${clean(name)} is no cloud: it takes ${names}`;
}

const expects = 'https:// and a host, with a port where needed, without user or path';

/** By the fields of the original's description. */
function customCloud(described: string | undefined): Cloud | string {
  const file = `the file that ${environmentFileVariable} names`;
  if (described === undefined) return `${custom} is described by ${file}: set it to a file that can be read`;
  const fields = recordIn(described);
  if (!fields) return `${custom} is described by ${file}, which is not a JSON object`;
  const arm = hostIn(fields.resourceManagerEndpoint);
  if (arm === undefined) return `resourceManagerEndpoint in ${file} takes ${expects}`;
  const login = hostIn(fields.activeDirectoryEndpoint);
  if (login === undefined) return `activeDirectoryEndpoint in ${file} takes ${expects}`;
  const { tokenAudience } = fields;
  const hasAudience = typeof tokenAudience === 'string' && tokenAudience !== '';
  const armAudience = hasAudience ? tokenAudience.replace(/\/+$/, '') : `https://${arm}`;
  return { name: custom, arm: `https://${arm}`, armAudience, login };
}

/** With its port, where that is not 443. */
function hostIn(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isBare = url?.protocol === 'https:' && url.href === `${url.origin}/`;
  return isBare ? url.host : undefined;
}

function recordIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
