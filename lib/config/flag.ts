/** How a flag's text becomes a value. `expects` completes the sentence "it takes …". */
export interface FlagType<T> {
  readonly expects: string;
  readonly parse: (text: string) => T | undefined;
  /** A value as a person would give it, where that is not its plain text. */
  shown?(value: T): string;
  /** `--flag` alone means true. */
  readonly bare?: true;
}

/** One row of a program's flag table: the only place that knows the flag's name, default and meaning. */
export interface FlagSpec<T> {
  readonly flag: string;
  readonly type: FlagType<T>;
  readonly default: T;
  readonly help: string;
  /** One letter that does the same: `-v=2`. */
  readonly short?: string;
  /** Environment variable read when the flag is not given. */
  readonly env?: string;
}

export type FlagTable = Readonly<Record<string, FlagSpec<unknown>>>;

/** The frozen values of a table. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Key in keyof Table]: Table[Key] extends FlagSpec<infer T> ? T : never;
};

/** The default as a person would give it; '' where there is none. */
export function shownDefault({ type, default: value }: FlagSpec<unknown>): string {
  return value === undefined ? '' : (type.shown?.(value) ?? String(value));
}

/** Keeps each row's own type while checking it. */
export function flag<const T>(spec: FlagSpec<T>): FlagSpec<T> {
  return spec;
}
