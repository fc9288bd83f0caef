/** An application and its service principals. */
export interface App {
  readonly clientId: string;
  /** GUIDs or domains, in lower case, of the tenants in which it has a service principal. */
  readonly tenants: readonly string[];
  readonly secrets?: readonly string[];
  /** PEM; the private key of one of them signs its assertions. */
  readonly certificates?: readonly string[];
  /** Any certificate of this subject (`CN=app`) that this CA (PEM) has issued will do, when the assertion carries it in `x5c`. */
  readonly subjectName?: { readonly subject: string; readonly issuer: string };
}

/** What answers in place of a token; for `count` requests, 1 unless said. */
export interface EntraFault {
  readonly count?: number;
  /** Nothing is answered, and the connection stays. */
  readonly kind?: 'silence' | 'reset' | 'garbage' | 'echo' | 'status';
  readonly status?: number;
  readonly retryAfter?: string;
  readonly body?: string;
  /** For requests of this tenant alone. */
  readonly tenant?: string;
}

/** One request and what became of it. `proof` and `token` are whole: tests look for them where they must not be. */
export interface EntraRecord {
  readonly path: string;
  readonly tenant: string;
  readonly clientId: string;
  readonly scope: string;
  readonly proofKind: 'secret' | 'assertion' | 'none';
  readonly proof: string;
  readonly remoteAddress: string;
  readonly status: number;
  /** The AADSTS number of a refusal. */
  readonly code?: number;
  readonly token?: string;
}
