/** SDKs ask with a handful of targets, whose longest parts are an ARM id and an audience. */
const most = 512;
const longest = 1_024;

/**
 * A pure function of a text that remembers what it made of the last few hundred short ones. What it makes is shared, so it must
 * not be changed; `undefined` is not kept.
 */
export function remembering<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (made === undefined || text.length > longest) return made;
    // Who asks in ever new ways gains nothing, and the others pay once more.
    if (known.size >= most) known.clear();
    known.set(text, made);
    return made;
  };
}
