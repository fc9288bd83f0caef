import { AppError } from '../model/errors.ts';
import type { FlagTable } from './flag.ts';
import { type NmiConfig, nmiFlags } from './nmi-flags.ts';
import { type Environment, parseFlags } from './parse.ts';

/**
 * The agent's whole configuration, frozen. Throws AppError `flag-invalid`, one sentence, when a value or a combination
 * cannot work; `--help` and `--version` are never refused.
 */
export function loadNmiConfig(args: readonly string[], env: Environment): NmiConfig {
  const asked = args.filter((arg) => arg === '--help' || arg === '--version');
  if (asked.length > 0) return parseFlags(nmiFlags, asked, {});
  const config = parseFlags(nmiFlags, args, env);
  if (config.help || config.version) return config;
  if (config.node === '') {
    throw invalid(
      '--node is missing: it takes the name of this node (in a manifest: $(NODE_NAME) from spec.nodeName)',
    );
  }
  if (config.operationMode !== 'managed') {
    throw invalid('--operation-mode is "standard", which this version does not serve: it takes managed');
  }
  const ports = [config.nmiPort, config.httpProbePort, config.prometheusPort];
  if (new Set(ports).size < ports.length) {
    throw invalid(
      `--nmi-port, --http-probe-port and --prometheus-port must differ, but are ${ports.join(', ')}`,
    );
  }
  return config;
}

/** The text of `--help`. */
export function usage(program: string, table: FlagTable): string {
  const rows = Object.values(table).map(({ flag, env, default: value, help }) => {
    const shown = value === '' ? '' : ` (default ${String(value)})`;
    return `  --${flag}${env ? ` [${env}]` : ''}${shown}\n      ${help.replaceAll('`', '')}`;
  });
  return `Usage: ${program} [--flag=value …]\n\n${rows.join('\n')}\n`;
}

function invalid(message: string): AppError {
  return new AppError('flag-invalid', message);
}
