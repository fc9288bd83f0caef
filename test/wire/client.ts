import { connect } from 'node:net';

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its bytes, as latin1 text. */
  readonly body: string;
}

export interface Talk {
  readonly replies: readonly Reply[];
  /** The other side ended the connection; otherwise it answered one more request after these replies. */
  readonly closed: boolean;
}

export interface At {
  readonly host: string;
  readonly port: number;
  /** The loopback address to come from, to be another pod than those from 127.0.0.1. */
  readonly from?: string;
}

/** No answer for this long is a failure, ms. */
const patienceMs = 10_000;
const stillThere = 'GET /still/there HTTP/1.1\r\nHost: x\r\n\r\n';

/**
 * Sends the bytes as they are (latin1) and reads `expected` whole replies. Then asks on the same connection for a path that
 * does not exist: it is open when precisely that is answered, and closed when it ends instead. Rejects when neither comes.
 */
export function talk(at: At, bytes: string, { expected = 1 } = {}): Promise<Talk> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { ...at, ...(at.from && { localAddress: at.from }) },
      () => void socket.write(bytes, 'latin1'),
    );
    const received: Buffer[] = [];
    const whole = (): Reply[] =>
      readReplies(Buffer.concat(received).toString('latin1'), bytes.startsWith('HEAD '));
    let asked = false;
    const finish = (closed: boolean, replies: readonly Reply[]): void => {
      socket.destroy();
      resolve({ replies, closed });
    };
    socket.setTimeout(patienceMs, () => {
      socket.destroy();
      reject(new Error(`no end after ${whole().length} replies to ${JSON.stringify(bytes.slice(0, 120))}`));
    });
    socket.on('data', (chunk) => {
      received.push(chunk);
      const replies = whole();
      if (asked && replies.length > expected) finish(false, replies.slice(0, -1));
      if (asked || replies.length < expected) return;
      asked = true;
      socket.write(stillThere);
    });
    socket.on('error', () => undefined); // a reset ends it too, after what had come
    socket.on('close', () => finish(true, whole()));
  });
}

/** The single reply to these bytes. Rejects when there is another number of replies. */
export async function ask(at: At, bytes: string): Promise<Reply & Pick<Talk, 'closed'>> {
  const { replies, closed } = await talk(at, bytes);
  const [reply] = replies;
  if (!reply || replies.length > 1) throw new Error(`${replies.length} replies`);
  return { ...reply, closed };
}

/** The fields of a reply's JSON body. Throws when it has none. */
export function jsonOf({ body }: Reply): Record<string, string> {
  return JSON.parse(Buffer.from(body, 'latin1').toString()) as Record<string, string>;
}

/** A GET with `Metadata: true` and these further header lines. */
export function asked(target: string, ...lines: string[]): string {
  return request('GET', target, 'Metadata: true', ...lines);
}

export function request(method: string, target: string, ...lines: string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: 169.254.169.254', ...lines].join('\r\n')}\r\n\r\n`;
}

/** A reply to HEAD tells the length of a body that does not come; one to what is no request has its body even so. */
function readReplies(text: string, toHead: boolean): Reply[] {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return [];
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [name(line), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const end = headEnd + 4 + Number(headers['content-length'] ?? 0);
  if (text.length < end && !toHead) return [];
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  return [{ status, headers, body: text.slice(headEnd + 4, end) }, ...readReplies(text.slice(end), toHead)];
}

function name(line: string): string {
  return line.slice(0, line.indexOf(':')).toLowerCase();
}
