import { AppError } from '../model/errors.ts';
import { type FlagTable, shownDefault } from './flag.ts';
import { longestHold, type NmiConfig, nmiFlags, podPortsUsed } from './nmi-flags.ts';
import { type Environment, parseFlags } from './parse.ts';

/**
 * The agent's whole configuration, frozen. Throws AppError `flag-invalid`, one sentence, when a value or a combination
 * cannot work; `--help` and `--version` are never refused.
 */
export function loadNmiConfig(args: readonly string[], env: Environment): NmiConfig {
  const asked = args.filter((arg) => arg === '--help' || arg === '--version');
  if (asked.length > 0) return parseFlags(nmiFlags, asked, {});
  const parsed = parseFlags(nmiFlags, args, env);
  // As in the original the environment can only add to the isolation, never a flag take it away.
  const forceNamespaced = parsed.forceNamespaced || env.FORCENAMESPACED === 'true';
  const config = Object.freeze({ ...parsed, forceNamespaced });
  if (config.help || config.version) return config;
  if (config.node === '') {
    throw invalid(
      '--node is missing: it takes the name of this node (in a manifest: $(NODE_NAME) from spec.nodeName)',
    );
  }
  if (config.enableProfile) {
    throw invalid(
      '--enableProfile is not served: there is no profiler in the agent; use the inspector of Node where you need one',
    );
  }
  if (!/^[\x20-\x7e]*$/.test(config.customUserAgent)) {
    throw invalid('--custom-user-agent has characters that a header cannot carry: it takes printable ASCII');
  }
  if (config.httpsProxy !== '' && proxyUrlOf(config.httpsProxy) === undefined) {
    // Not quoted: such a URL often holds a password.
    throw invalid(
      '--https-proxy (HTTPS_PROXY) is not the URL of a proxy: it takes http://proxy.example.com:3128',
    );
  }
  if (/^(0|127|22[4-9]|23\d|24\d|25[0-5])\./.test(config.metadataIp)) {
    throw invalid(
      `--metadata-ip is "${config.metadataIp}", but it takes an address that pods can be redirected from`,
    );
  }
  const ports = [config.nmiPort, config.httpProbePort, config.prometheusPort];
  const besidePods = config.nmiPort + podPortsUsed - 1;
  const isPods = (port: number): boolean => port >= config.nmiPort && port <= besidePods;
  if (isPods(config.httpProbePort) || isPods(config.prometheusPort) || new Set(ports).size < ports.length) {
    throw invalid(
      `--nmi-port (and the ${podPortsUsed - 1} ports above it), --http-probe-port and --prometheus-port must differ, but are ${ports.join(', ')}`,
    );
  }
  if (besidePods > 65_535)
    throw invalid(
      `--nmi-port is ${config.nmiPort}, but the ${podPortsUsed - 1} ports above it are needed, too: it takes at most ${65_536 - podPortsUsed}`,
    );
  return config;
}

/**
 * How long a request waits for an identity that is not there yet, ms. Without a flag 8 s, which is below the 10 s at which
 * clients were seen to give up, and 60 s for clients that retry no 404. A value that is given holds for all clients.
 */
export function holdOf(config: NmiConfig): { readonly usualMs: number; readonly longMs: number } {
  const { identityHold, retryAttemptsForCreated, retryAttemptsForAssigned, findIdentityRetryInterval } =
    config;
  const olds = [retryAttemptsForCreated, retryAttemptsForAssigned, findIdentityRetryInterval];
  const old =
    ((retryAttemptsForCreated ?? 16) + (retryAttemptsForAssigned ?? 4)) * (findIdentityRetryInterval ?? 5);
  const fromOlds = olds.some((value) => value !== undefined) ? Math.min(old, longestHold) : undefined;
  const given = identityHold ?? fromOlds;
  return { usualMs: (given ?? 8) * 1000, longMs: (given ?? 60) * 1000 };
}

/** The URL of an HTTP proxy; `proxy:3128` is one, too, as in Go programs. Undefined for what is none. */
export function proxyUrlOf(value: string): string | undefined {
  const url = value.includes('://') ? value : `http://${value}`;
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '') ? url : undefined;
}

/** The text of `--help`. */
export function usage(program: string, table: FlagTable): string {
  const rows = Object.values(table).map((spec) => {
    const { flag, short, env, help } = spec;
    const shown = shownDefault(spec) && ` (default ${shownDefault(spec)})`;
    const names = short === undefined || short === flag ? `--${flag}` : `-${short}, --${flag}`;
    return `  ${names}${env ? ` [${env}]` : ''}${shown}\n      ${help.replaceAll('`', '')}`;
  });
  return `Usage: ${program} [--flag=value …]\n\n${rows.join('\n')}\n`;
}

function invalid(message: string): AppError {
  return new AppError('flag-invalid', message);
}
