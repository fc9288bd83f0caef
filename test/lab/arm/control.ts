import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { ArmControl } from './arm.ts';

/** Steers a simulator that runs as its own process. Every call rejects when the process does not answer within 5 s. */
export interface ArmClient extends ArmControl {
  /** The ARM endpoint. */
  readonly origin: string;
  /** The file that NODE_EXTRA_CA_CERTS of whoever asks it must name. */
  readonly caFile: string;
  /** What AZURE_ENVIRONMENT_FILEPATH must name: the cloud AzureStackCloud, which is this one. */
  readonly environmentFile: string;
}

const calls = [
  ...(['createIdentities', 'deleteIdentities', 'addMachines', 'removeMachines', 'machine'] as const),
  ...(['fault', 'clearFaults', 'configure', 'log', 'clear'] as const),
] satisfies readonly (keyof ArmControl)[];

/** `POST /CALL` with the arguments as a JSON list, over a unix socket, which no network namespace confines. Gives what ends it. */
export async function serveControl(arm: ArmControl, socketPath: string): Promise<() => Promise<void>> {
  const server = createServer((asked, response) => {
    const reply = (status: number, value: unknown): void => {
      response.writeHead(status).end(JSON.stringify(value ?? null));
    };
    obey(arm, asked).then(
      (value) => reply(200, value),
      (error: unknown) => reply(400, { error: String(error) }),
    );
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}

async function obey(arm: ArmControl, asked: IncomingMessage): Promise<unknown> {
  const name = calls.find((call) => asked.url === `/${call}`);
  if (!name) throw new Error(`no such call: ${asked.url}`);
  const call = arm[name] as (...args: unknown[]) => Promise<unknown>;
  return call(...(JSON.parse(await textOf(asked)) as unknown[]));
}

/** `socketPath` is DIR/arm.sock of `main.ts`. */
export function armClient(socketPath: string, where: Omit<ArmClient, keyof ArmControl>): ArmClient {
  const remote = calls.map((name) => [name, (...args: unknown[]) => call(socketPath, name, args)]);
  return { ...where, ...(Object.fromEntries(remote) as ArmControl) };
}

function call(socketPath: string, name: string, args: readonly unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(5000);
    const sent = request(
      { socketPath, method: 'POST', path: `/${name}`, agent: false, signal },
      (response) => {
        textOf(response).then((text) => {
          if (response.statusCode === 200) resolve(JSON.parse(text) ?? undefined);
          else reject(new Error(`arm ${name}: ${response.statusCode} ${text}`));
        }, reject);
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(args));
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
