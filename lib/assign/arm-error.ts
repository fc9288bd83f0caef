import { plain } from '../model/text.ts';
import { type ResourceId, resourceIdOf } from './resource-id.ts';

/** What ARM says of a failure, in its own words. */
export interface ArmError {
  /** `LinkedAuthorizationFailed` and the like; `unknown` when it names none. */
  readonly code: string;
  readonly message: string;
  /** Codes, targets and messages of what lies below, in one text. */
  readonly details: string;
}

/** ARM's messages name a client, two actions and a list of ids before they say what is wrong. */
const longest = 700;

/** The error in the body of a refusal, or of an operation that failed. */
export function armErrorIn(body: string): ArmError {
  const root = parse(body);
  const error = recordOf(recordOf(root).error ?? root);
  return {
    code: codeOf(error.code),
    message: typeof error.message === 'string' ? error.message : '',
    details: JSON.stringify([error.details ?? [], error.innererror ?? {}]),
  };
}

/** The message for an event or a log: one line, cut. */
export function wordsOf({ message }: ArmError): string {
  const cut = message.length > longest ? `${message.slice(0, longest)}…` : message;
  return plain(cut).replace(/\s+/g, ' ').trim();
}

/**
 * The ids of user-assigned identities that the message blames: the first list in quotes that has any (client, actions and the
 * machine are quoted before). Quotes nest in these messages, so they are taken as ends of a piece, not as pairs.
 */
export function blamed(message: string): ResourceId[] {
  for (const piece of message.split(/['"]/)) {
    const ids = piece.split(',').flatMap((part) => resourceIdOf(part.trim()) ?? []);
    if (ids.length > 0) return ids;
  }
  return [];
}

/** A code is a word; anything else is not repeated. */
function codeOf(code: unknown): string {
  return typeof code === 'string' && /^[\w.-]{1,100}$/.test(code) ? code : 'unknown';
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : {};
}

/** Undefined for what is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
