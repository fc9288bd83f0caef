import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';

/**
 * Runs in a pod: `ask.ts URL [--header NAME=VALUE]… [--tries N] [--timeout MS]` sends a GET with `Metadata: true` on a connection
 * of its own, as an SDK does, and again after a second where the answer is one that SDKs try again for. Prints one line of JSON,
 * `{"status", "body", "headers"}` or `{"status": 0, "error"}`, and leaves it as the container's termination message; exit status 0
 * only for 200.
 */
interface Asked {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: IncomingMessage['headers'];
  readonly error?: string;
}

const again = new Set([0, 404, 410, 429, 500, 503]);

function ask(url: string, headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Asked> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = request(url, { headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => resolve({ status: 0, error: String(error) }));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: parsed(text), headers: response.headers });
      });
    });
    sent.on('error', (error) => resolve({ status: 0, error: String(error) }));
    sent.end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    header: { type: 'string', multiple: true, default: [] },
    tries: { type: 'string', default: '1' },
    timeout: { type: 'string', default: '30000' },
  },
});
const given = values.header.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]);
const headers = {
  metadata: 'true',
  'user-agent': process.env.E2E_USER_AGENT ?? '',
  ...Object.fromEntries(given),
};
let asked: Asked = { status: 0 };
for (let tries = Number(values.tries); tries > 0; tries--) {
  asked = await ask(positionals[0] ?? '', headers, Number(values.timeout));
  if (!again.has(asked.status)) break;
  if (tries > 1) await new Promise((resolve) => setTimeout(resolve, 1_000));
}
const said = JSON.stringify(asked);
console.log(said);
// For who comes when the container has ended, and its log may be gone.
writeFileSync('/dev/termination-log', said);
process.exitCode = asked.status === 200 ? 0 : 1;
