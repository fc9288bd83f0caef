import { readFile } from 'node:fs/promises';
import { type CloudConfig, cloudConfigOf } from '../config/cloud-config.ts';
import { environmentFileVariable } from '../config/clouds.ts';
import { proxyUrlOf } from '../config/load.ts';
import type { MicConfig } from '../config/mic-flags.ts';
import type { Environment } from '../config/parse.ts';
import { AppError, messageOf } from '../model/errors.ts';
import { watchFile } from '../platform/file-watch.ts';
import type { Logger } from '../platform/log.ts';
import { type AzureParts, type AzureSide, azureOf, throttleOf } from './azure.ts';

/** Between two looks at the file, ms. */
const lookMs = 10_000;

export interface CloudOptions extends Omit<AzureParts, 'proxy' | 'throttle'> {
  readonly config: Pick<MicConfig, 'cloudConfig' | 'httpsProxy' | 'noProxy'>;
  readonly env: Environment;
  readonly log: Logger;
}

interface CloudParts extends CloudOptions, Pick<AzureParts, 'throttle'> {}

/** The Azure that the cloud configuration names, also when that changes: its secret is renewed while MIC runs. */
export class CloudHolder {
  readonly #parts: CloudParts;
  readonly #text: string;
  #azure: AzureSide;

  private constructor(parts: CloudParts, azure: AzureSide, text: string) {
    this.#parts = parts;
    this.#azure = azure;
    this.#text = text;
  }

  /** Throws AppError `flag-invalid` for a configuration that cannot work. */
  static async open(options: CloudOptions): Promise<CloudHolder> {
    const path = options.config.cloudConfig;
    const text = path === '' ? '' : await read(path);
    const parts = { ...options, throttle: throttleOf(options) };
    return new CloudHolder(parts, await azureIn(parts, text), text);
  }

  get azure(): AzureSide {
    return this.#azure;
  }

  /** Follows the file until `signal` aborts. One that cannot work changes nothing, and is told. */
  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    const { config, clock, log } = this.#parts;
    const tell = (error: unknown): void =>
      log.warn(
        { path: config.cloudConfig, why: messageOf(error) },
        'cloud configuration not taken; the old one serves',
      );
    const take = async (text: string): Promise<void> => {
      // The old one is left to end by itself: changes that it follows are under way.
      this.#azure = await azureIn(this.#parts, text);
      log.info({ path: config.cloudConfig }, 'cloud configuration changed');
      onChange();
    };
    if (config.cloudConfig === '') return new Promise((resolve) => onceAborted(signal, resolve));
    await watchFile(
      {
        ...{ path: config.cloudConfig, clock, everyMs: lookMs, known: this.#text, onTrouble: tell },
        onChange: (text) => void take(text).catch(tell),
      },
      signal,
    );
  }

  close(): Promise<void> {
    return this.#azure.close();
  }
}

async function azureIn(parts: CloudParts, text: string): Promise<AzureSide> {
  const { httpsProxy, noProxy } = parts.config;
  const proxy = { url: proxyUrlOf(httpsProxy) ?? '', except: noProxy };
  return azureOf(await configOf(parts, text), { ...parts, proxy });
}

async function configOf({ config, env }: CloudOptions, text: string): Promise<CloudConfig> {
  const path = config.cloudConfig;
  const described = env[environmentFileVariable] ?? '';
  const environmentFile = described === '' ? undefined : await read(described).catch(() => undefined);
  const made = cloudConfigOf({ file: path === '' ? undefined : { path, text }, env, environmentFile });
  if (typeof made === 'string') throw new AppError('flag-invalid', made);
  return made;
}

/** Throws AppError `flag-invalid`. */
async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('flag-invalid', `--cloudconfig: ${messageOf(cause)}`, { cause });
  }
}

function onceAborted(signal: AbortSignal, run: () => void): void {
  if (signal.aborted) run();
  else signal.addEventListener('abort', run, { once: true });
}
