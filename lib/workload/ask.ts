import { plain } from '../model/text.ts';
import { type HttpClient, HttpFailure } from '../platform/http.ts';

/** Why there is nothing, as the end of a sentence. `passing`: the same question may be answered a little later. */
export interface Failure {
  readonly kind: 'failure';
  /** Free of tokens and of control characters. */
  readonly why: string;
  readonly passing: boolean;
  /** Of the answer, where there was one. */
  readonly status?: number;
}

/** What was asked for, or why it is not there. */
export type Got<T> = { readonly kind: 'got'; readonly value: T } | Failure;

export type JsonObject = Readonly<Record<string, unknown>>;

export interface Question {
  /** Who is asked, for a sentence: `IMDS`. */
  readonly whom: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  /** Sent as `Authorization`. Should the other side repeat it, it is taken out of what is told. */
  readonly bearer?: string;
}

/** Azure's services while they are updating or busy; and all from 500 on. */
const passingStatuses: readonly number[] = [408, 410, 429];
/** Our sentences have 300 characters, ARM's and Key Vault's up to twice that. */
const longest = 700;

/** One GET for a JSON object. Of a refusal the service's own words are told, of a success that is none nothing. */
export async function askJson(http: HttpClient, question: Question): Promise<Got<JsonObject>> {
  const { whom, path, deadlineMs, bearer } = question;
  const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  try {
    const headers = { accept: 'application/json', ...question.headers, ...authorization };
    const { status, body } = await http.get(path, { headers, deadlineMs });
    const json = objectIn(body);
    if (status === 200 && json) return { kind: 'got', value: json };
    if (status === 200) return failure(`${whom} answered 200 with something that is not a JSON object`, true);
    const passing = passingStatuses.includes(status) || status >= 500;
    return { ...failure(`${whom} answered ${status}${wordsOf(json, bearer)}`, passing), status };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    return failure(`${whom} ${unanswered(error, deadlineMs)}`, error.problem !== 'too-large');
  }
}

export function failure(why: string, passing: boolean): Failure {
  return { kind: 'failure', why, passing };
}

/** Anything else than an object counts as an empty one. */
export function recordOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** `{error, error_description}` of IMDS and Entra ID, `{error: {code, message}}` of ARM and Key Vault. */
function wordsOf(json: JsonObject | undefined, bearer: string | undefined): string {
  const { error, error_description: description } = json ?? {};
  const { code, message } = recordOf(error);
  const words = [code ?? error, message ?? description].filter((part) => typeof part === 'string');
  const said = words.join(': ').replace(/\s+/g, ' ').trim();
  // Before the cut, which could leave a part of it.
  const text = bearer === undefined ? said : said.replaceAll(bearer, 'TOKEN');
  return text === '' ? '' : ` ${plain(text.length > longest ? `${text.slice(0, longest)}…` : text)}`;
}

function unanswered({ problem, cause }: HttpFailure, deadlineMs: number): string {
  if (problem === 'timeout') return `did not answer within ${deadlineMs / 1000} s`;
  if (problem === 'too-large') return 'sent an answer that is too large';
  const { code } = recordOf(cause);
  return `cannot be reached${typeof code === 'string' ? ` (${plain(code)})` : ''}`;
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const record = recordOf(value);
    return record === value ? record : undefined;
  } catch {
    return undefined;
  }
}
