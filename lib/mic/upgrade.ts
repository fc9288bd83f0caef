import type { MicConfig } from '../config/mic-flags.ts';
import { version } from '../config/version.ts';
import type { Connection } from '../kube/connection.ts';
import { upgradeTypes } from '../kube/type-upgrade.ts';
import type { Writer } from '../kube/writer.ts';
import { messageOf } from '../model/errors.ts';
import type { Logger } from '../platform/log.ts';

export interface UpgradeParts {
  readonly config: Pick<
    MicConfig,
    'enableTypeUpgrade' | 'namespace' | 'configMapName' | 'typeUpgradeStatusKey'
  >;
  readonly connection: Connection;
  readonly writer: Writer;
  readonly log: Logger;
}

/**
 * The look for objects of before 1.6.0, once in a cluster's life. In the original its failure ended the process; nothing of ours
 * depends on it, so that it is told, and made up for by the next leader.
 */
export async function typeUpgrade(
  { config, connection, writer, log }: UpgradeParts,
  signal: AbortSignal,
): Promise<void> {
  if (!config.enableTypeUpgrade) return;
  const { namespace, configMapName: configMap, typeUpgradeStatusKey: key } = config;
  try {
    await upgradeTypes({ connection, writer, namespace, configMap, key, version, log }, signal);
  } catch (error) {
    if (!signal.aborted) log.warn({ why: messageOf(error) }, 'objects of before 1.6.0 not looked for');
  }
}
