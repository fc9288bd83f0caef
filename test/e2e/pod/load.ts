import { appendFileSync } from 'node:fs';
import { request } from 'node:http';

/**
 * Runs in a pod: `load.ts URL FILE` asks again and again, each time on a new connection, until SIGTERM, and adds a line of JSON to
 * FILE for every request: when it was sent, and the client id in the token that came, or what came instead.
 */
const [url = '', file = ''] = process.argv.slice(2);
const headers = { metadata: 'true', 'user-agent': process.env.E2E_USER_AGENT ?? '' };
const pauseMs = 50;
const patienceMs = 20_000;

function outcome(status: number, text: string): object {
  if (status !== 200) return { status };
  const { access_token } = JSON.parse(text) as { access_token: string };
  const claims = JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString());
  return { status, client: (claims as { appid: string }).appid };
}

function ask(): Promise<object> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(patienceMs);
    const failed = (error: unknown): void => resolve({ status: 0, error: String(error) });
    const sent = request(url, { headers, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', failed).on('end', () => resolve(outcome(response.statusCode ?? 0, text)));
    });
    sent.on('error', failed);
    sent.end();
  });
}

process.on('SIGTERM', () => process.exit(0));
for (;;) {
  const at = Date.now();
  appendFileSync(file, `${JSON.stringify({ at, ...(await ask()) })}\n`);
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
}
