/**
 * Run in a pod that has the addresses of many: each asks for one token at the same moment, and again as MSAL .NET does when it
 * is told to, or when nothing came for PATIENCE ms (0: it waits for ever). Prints the appid, the number of tries and the longest
 * wait of each, in their order:
 *
 *   node test/lab/nmi/cold-pods.ts PATIENCE URL ADDRESS…
 */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [patience = '', url = '', ...addresses] = process.argv.slice(2);
const pauses = [1_000, 2_000, 4_000];
const nothing = { status: 0, body: 'no answer' };

function ask(localAddress: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, localAddress, headers: { metadata: 'true' } } as const;
    const giveUp = Number(patience) > 0 ? { signal: AbortSignal.timeout(Number(patience)) } : {};
    const sent = get(url, { ...options, ...giveUp }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', () => resolve(nothing));
    });
    sent.on('error', (error) => (error.name === 'AbortError' ? resolve(nothing) : reject(error)));
  });
}

async function start(address: string): Promise<{ appid: unknown; tries: number; longestMs: number }> {
  let longestMs = 0;
  for (let tries = 1; ; tries++) {
    const began = performance.now();
    const { status, body } = await ask(address);
    longestMs = Math.max(longestMs, Math.round(performance.now() - began));
    const pause = pauses[tries - 1];
    if ((status !== 429 && status !== 0) || pause === undefined)
      return { appid: appidOf(status, body), tries, longestMs };
    await sleep(pause);
  }
}

/** Whose the token is, or what came instead. */
function appidOf(status: number, body: string): unknown {
  if (status !== 200) return `${status} ${body}`;
  const token = (JSON.parse(body) as { access_token: string }).access_token;
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(claims) as { appid: string }).appid;
}

process.stdout.write(JSON.stringify(await Promise.all(addresses.map(start))));
