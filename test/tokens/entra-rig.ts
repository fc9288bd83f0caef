import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Test } from 'tap';
import { systemClock } from '../../lib/platform/clock.ts';
import { type AcquireToken, createEntra } from '../../lib/tokens/entra.ts';
import { createEntraDispatcher, createPostForm } from '../../lib/tokens/entra-http.ts';
import { type Entra, startEntra } from '../lab/entra/server.ts';

export const hosts = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.stack.example',
];

export interface EntraRig {
  readonly entra: Entra;
  readonly acquire: AcquireToken;
  /** What the proxy was asked to connect to. */
  readonly connected: readonly string[];
}

/** A simulator under the names of real clouds, trusted, and reached as in the field: by a proxy that resolves them. */
export async function startRig(test: Test): Promise<EntraRig> {
  const entra = await startEntra({ host: '127.0.0.1', port: 0, names: hosts });
  test.teardown(() => entra.close());
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, entra.ca]);
  test.teardown(() => setDefaultCACertificates(trusted));
  const connected: string[] = [];
  const dispatcher = createEntraDispatcher({
    url: await startProxy(test, entra.port, connected),
    except: '',
  });
  test.teardown(() => dispatcher.destroy());
  return { entra, connected, acquire: createEntra(createPostForm(dispatcher), systemClock) };
}

/** A proxy that leads every CONNECT to `port` of the loopback. */
async function startProxy(test: Test, port: number, connected: string[]): Promise<string> {
  const proxy = createServer((_, response) => void response.writeHead(405).end());
  proxy.on('connect', ({ url = '' }, socket) => {
    connected.push(url);
    const through = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
    socket.on('error', () => through.destroy());
    test.teardown(() => void [socket, through].map((each) => each.destroy()));
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  test.teardown(() => new Promise((resolve) => void proxy.close(resolve)));
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
