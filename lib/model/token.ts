/** A token as IMDS hands it out. Times are epoch seconds. The value never enters a log, an error or a metric. */
export interface Token {
  readonly accessToken: string;
  readonly expiresOn: number;
  readonly notBefore: number;
  readonly tokenType: string;
}
