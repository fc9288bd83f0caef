import { readFile } from 'node:fs/promises';
import { cloudNamed, environmentFileVariable } from '../config/clouds.ts';
import { proxyUrlOf } from '../config/load.ts';
import type { Environment } from '../config/parse.ts';
import type { Cloud } from '../model/clouds.ts';
import { AppError, messageOf } from '../model/errors.ts';
import type { HttpProxy } from '../platform/http.ts';

/** Whom a pod's app talks to. */
export interface Azure {
  /** Origin of the metadata service. */
  readonly imds: string;
  readonly cloud: Cloud;
  /** Text of the file that AZURE_ENVIRONMENT_FILEPATH names; undefined where it names none. */
  readonly described: string | undefined;
  /** Towards everything but the metadata service. */
  readonly proxy: HttpProxy;
}

const imdsVariable = 'AZURE_POD_IDENTITY_AUTHORITY_HOST';

/**
 * By the environment, as the Azure SDKs: AZURE_ENVIRONMENT and AZURE_ENVIRONMENT_FILEPATH for the cloud, the public one unless
 * named, AZURE_POD_IDENTITY_AUTHORITY_HOST for the metadata service, HTTPS_PROXY and NO_PROXY. Throws AppError `flag-invalid`.
 */
export async function azureOf(env: Environment): Promise<Azure> {
  const path = env[environmentFileVariable] ?? '';
  const described = path === '' ? undefined : await read(path);
  const cloud = cloudNamed(env.AZURE_ENVIRONMENT || 'AzurePublicCloud', described);
  if (typeof cloud === 'string') throw invalid(`the environment variable AZURE_ENVIRONMENT: ${cloud}`);
  const imds = imdsOf(env[imdsVariable] || 'http://169.254.169.254');
  return { imds, cloud, described, proxy: proxyOf(env) };
}

function proxyOf(env: Environment): HttpProxy {
  const given = env.HTTPS_PROXY || env.https_proxy || '';
  const url = given === '' ? '' : proxyUrlOf(given);
  // Not quoted: such a URL often holds a password.
  if (url === undefined)
    throw invalid('the environment variable HTTPS_PROXY: it takes http://proxy.example.com:3128');
  return { url, except: env.NO_PROXY || env.no_proxy || '' };
}

function imdsOf(value: string): string {
  const url = URL.parse(value);
  const isBare = url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isBare) return url.origin;
  throw invalid(
    `the environment variable ${imdsVariable} is no origin: it takes http://169.254.169.254, without path or user`,
  );
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw invalid(`the environment variable ${environmentFileVariable}: ${messageOf(cause)}`);
  }
}

function invalid(message: string): AppError {
  return new AppError('flag-invalid', message);
}
