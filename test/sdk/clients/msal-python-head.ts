import { connect } from 'node:net';
import { heads } from '../../wire/heads.ts';

/**
 * `msal-python-head.ts RESOURCE CLIENT_ID` prints a token, asked for with the captured head of MSAL Python over a bare requests
 * session, as az uses it now: byte by byte but for resource and id, once and never again. It wants of the answer what MSAL
 * Python wants.
 */
const [resource = '', clientId = ''] = process.argv.slice(2);

function bytes(): string {
  const head = heads.find(({ client, target }) => client === 'MSAL Python' && target.includes('&client_id='));
  if (!head) throw new Error('there is no head of MSAL Python by client id');
  const target = head.target
    .replace(/(?<=[?&]resource=)[^&]*/, encodeURIComponent(resource))
    .replace(/(?<=[?&]client_id=)[^&]*/, clientId);
  return head.bytes.replace(head.target, target);
}

async function answer(): Promise<{ head: string; body: string }> {
  const socket = connect(80, '169.254.169.254');
  socket.setEncoding('latin1').write(bytes());
  let received = '';
  for await (const chunk of socket) {
    received += chunk;
    const [head = '', body] = received.split('\r\n\r\n');
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (body !== undefined && body.length >= length) return { head, body };
  }
  throw new Error('the connection was closed without an answer');
}

try {
  const { head, body } = await answer();
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(body);
  const { access_token, expires_in } = JSON.parse(body) as Record<string, unknown>;
  if (!(Number(expires_in) > 0)) throw new Error('the answer has no expires_in');
  process.stdout.write(String(access_token));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
