import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Use } from './uses.ts';

/** Steers a gate that runs as its own process. Every call rejects when the process does not answer within 5 s. */
export interface GateClient {
  open(): Promise<void>;
  shut(): Promise<void>;
  clear(): Promise<void>;
  uses(): Promise<readonly Use[]>;
}

/** `socketPath` is DIR/gate.sock of `main.ts`. */
export function gateClient(socketPath: string): GateClient {
  const call = async (path: string): Promise<unknown> => {
    const sent = request({ socketPath, path, agent: false, signal: AbortSignal.timeout(5_000) }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const said = await text(response);
    if (response.statusCode !== 200) throw new Error(`gate ${path}: ${said}`);
    return JSON.parse(said);
  };
  return {
    open: async () => void (await call('/open')),
    shut: async () => void (await call('/shut')),
    clear: async () => void (await call('/clear')),
    uses: async () => (await call('/uses')) as readonly Use[],
  };
}
