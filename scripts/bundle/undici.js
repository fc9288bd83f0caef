/**
 * What the programs use of undici, in place of all of it: without its fetch, caches, mocks, WebSocket and EventSource an idle
 * agent has 3 MB less (measured). `request` is that of undici's index.js for a URL as text and a dispatcher.
 */
import api from 'undici/lib/api/index.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';

Object.assign(Dispatcher.prototype, api);

export { default as buildConnector } from 'undici/lib/core/connect.js';
export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js';
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js';
export { Dispatcher };

export function request(url, { dispatcher, ...options }) {
  const { origin, pathname, search } = new URL(url);
  const method = options.method ?? (options.body ? 'PUT' : 'GET');
  return dispatcher.request({ ...options, origin, path: `${pathname}${search}`, method });
}

/** Named by parts of @kubernetes/client-node that no program uses. */
export function fetch() {
  throw new Error('fetch is left out of this program');
}
