/** Longer than any id, label or resource that is real; short enough for one line of a terminal or an event. */
const longest = 200;

/**
 * A string that a client or an object's author chose, made fit for an error, an event, a log or a terminal: cut to 200
 * characters and made plain.
 */
export function clean(text: string): string {
  // Made plain after the cut, which may leave half of a surrogate pair.
  return plain(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

/** Control characters, and Unicode's direction and line marks, replaced. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');
}
