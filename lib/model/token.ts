/** A token as IMDS hands it out. Times are epoch seconds. The value never enters a log, an error or a metric. */
export interface Token {
  readonly accessToken: string;
  readonly expiresOn: number;
  readonly notBefore: number;
  readonly tokenType: string;
  /**
   * Of the auxiliary tenants of a service principal that has some, in their order. `expiresOn` is then the earliest of all:
   * they are handed out together.
   */
  readonly auxiliary?: readonly Token[];
}
