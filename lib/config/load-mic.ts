import { AppError } from '../model/errors.ts';
import { proxyUrlOf } from './load.ts';
import { type MicConfig, micFlags } from './mic-flags.ts';
import { type Environment, parseFlags } from './parse.ts';

/**
 * MIC's whole configuration, frozen. As in the original a flag may have one dash or two. Throws AppError `flag-invalid`, one
 * sentence; `--help` and `--version` are never refused.
 */
export function loadMicConfig(given: readonly string[], env: Environment): MicConfig {
  const args = given.map((arg) => arg.replace(/^-(?=[a-zA-Z])/, '--'));
  const asked = args.filter((arg) => arg === '--help' || arg === '--version');
  if (asked.length > 0) return parseFlags(micFlags, asked, {});
  const parsed = parseFlags(micFlags, args, env);
  // As in the original the environment can only add to the isolation, never a flag take it away.
  const forceNamespaced = parsed.forceNamespaced || env.FORCENAMESPACED === 'true';
  const immutableUserMsis = parsed.immutableUserMsis.filter((id) => id !== '');
  // Go programs read both spellings.
  const httpsProxy = parsed.httpsProxy || env.https_proxy || '';
  const noProxy = parsed.noProxy || env.no_proxy || '';
  const config = Object.freeze({ ...parsed, forceNamespaced, immutableUserMsis, httpsProxy, noProxy });
  if (config.help || config.version) return config;
  check(config);
  return config;
}

function check(config: MicConfig): void {
  if (config.namespace === '')
    throw invalid(
      'MIC_POD_NAMESPACE is not set: it takes the namespace that MIC runs in (in a manifest: from metadata.namespace)',
    );
  const objects = {
    'mic-pod-namespace': config.namespace,
    'leader-election-namespace': config.leaderElectionNamespace,
    'leader-election-name': config.leaderElectionName,
    'config-map-name': config.configMapName,
  };
  for (const [flag, value] of Object.entries(objects))
    if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(value))
      throw invalid(`--${flag} is not a name that Kubernetes takes: small letters, digits, dashes and dots`);
  if (config.enableProfile)
    throw invalid(
      '--enableProfile is not served: there is no profiler in MIC; use the inspector of Node where you need one',
    );
  // Not quoted: such a URL often holds a password.
  if (config.httpsProxy !== '' && proxyUrlOf(config.httpsProxy) === undefined)
    throw invalid(
      '--https-proxy (HTTPS_PROXY) is not the URL of a proxy: it takes http://proxy.example.com:3128',
    );
  if (!/^[\x20-\x7e]*$/.test(config.customUserAgent))
    throw invalid('--custom-user-agent has characters that a header cannot carry: it takes printable ASCII');
  if (config.httpProbePort === config.prometheusPort)
    throw invalid(
      `--http-probe-port and --prometheus-port must differ, but are both ${config.prometheusPort}`,
    );
}

function invalid(message: string): AppError {
  return new AppError('flag-invalid', message);
}
