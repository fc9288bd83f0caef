import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { unlessAborted } from '../platform/wait.ts';

/** A token answer has 3 kB; this is enough for a token of 16 kB, the most that is kept, and what is written around it. */
const maxBytes = 20 * 1024;

export interface FormAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

export interface Form {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends a form and gives the answer whatever its status. Rejects as undici does, and with the signal's reason. */
export type PostForm = (url: string, form: Form, signal: AbortSignal) => Promise<FormAnswer>;

/**
 * Connections to Entra ID. Each serves one request, since tokens are fetched once an hour, and a connection that is used
 * again may be closed at that moment. A proxy only where one is given; the environment is not read.
 */
export function createEntraDispatcher(proxy: { readonly url: string; readonly except: string }): Dispatcher {
  // Said outright, since NODE_TLS_REJECT_UNAUTHORIZED would turn it off.
  const connect = { rejectUnauthorized: true, timeout: 10_000 };
  const limits = { connections: 16, pipelining: 0, allowH2: false };
  if (proxy.url === '') return new Agent({ ...limits, connect });
  return new EnvHttpProxyAgent({
    ...limits,
    ...{ httpProxy: '', httpsProxy: proxy.url, noProxy: proxy.except },
    ...{ connect, requestTls: connect, proxyTls: connect },
  });
}

/** Follows no redirect, and reads 20 kB at most: more of an answer ends it. */
export function createPostForm(dispatcher: Dispatcher): PostForm {
  return async (url, { headers, body }, signal) => {
    const { origin, pathname, search } = new URL(url);
    const request = { origin, path: pathname + search, method: 'POST', headers, body, signal } as const;
    const answer = await unlessAborted(dispatcher.request(request), signal);
    const retryAfter = answer.headers['retry-after'];
    return {
      status: answer.statusCode,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      body: await readText(answer.body),
    };
  };
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
