/**
 * Every error that the programs raise on purpose. `code` is the closed union that callers branch on; the message is one
 * sentence for an operator and never holds a token, a secret or a query string; `cause` is for the log only.
 */
export type ErrorCode =
  | 'flag-invalid' // a flag, its value, or a combination is refused at start
  | 'exec-missing' // a program that we need is not installed
  | 'exec-timeout' // a program did not end in time and was killed
  | 'iptables-unusable' // neither backend can do what we need (binary, permission, kernel)
  | 'kubenet-refused' // the node's network lets pods take each other's address
  | 'iptables-failed' // a change was refused; nothing of it was applied
  | 'routes-failed' // the kernel's routing rules could not be read or changed
  | 'neighbours-failed' // the kernel's neighbour or forwarding table could not be read or changed
  | 'kubeconfig-unusable' // no usable connection settings
  | 'kube-unreachable' // no answer from the API server
  | 'kube-timeout' // the API server did not answer, or fell silent, within our deadline
  | 'kube-refused' // the API server answered with an error status (in `status`)
  | 'kube-garbled' // the API server answered with something that is not its protocol
  | 'kube-too-large' // the API server's answer is larger than we are willing to hold
  | 'listen-failed' // a port could not be opened
  | 'imds-unreachable' // IMDS could not be connected to, or broke off
  | 'imds-timeout' // IMDS did not answer within our deadline
  | 'imds-refused' // IMDS answered with an error (in `answer`)
  | 'imds-garbled' // IMDS answered 200 with something that is not a token
  | 'imds-busy' // no turn towards IMDS, which limits how often the machine may ask; come again in `retryAfter`
  | 'credential-missing' // the Secret of a service principal is not there
  | 'credential-unreadable' // the Secret of a service principal could not be read
  | 'credential-unusable' // what the AzureIdentity names, or what stands in its Secret, cannot be used
  | 'entra-unreachable' // Microsoft Entra ID could not be connected to, or broke off
  | 'entra-timeout' // Microsoft Entra ID did not answer within our deadline
  | 'entra-refused' // Microsoft Entra ID answered with an error (in `answer`)
  | 'entra-busy' // too many tokens of service principals are being fetched; come again in `retryAfter`
  | 'entra-garbled' // Microsoft Entra ID answered 200 with something that is not a token
  | 'arm-unreachable' // Azure Resource Manager could not be connected to, or broke off
  | 'arm-timeout' // it did not answer, or an operation did not end, within our deadline
  | 'arm-throttled' // it limits how often it may be asked; come again in `retryAfter`
  | 'arm-refused' // it answered with an error (in `answer`)
  | 'arm-failed' // it took a change and could not carry it out (why is in `answer`)
  | 'arm-garbled' // it answered with something that is not its protocol
  | 'arm-gone' // it knows no such machine
  | 'arm-deleting' // the machine is being deleted
  | 'identity-type-unsupported'; // this identity's `spec.type` has no token source

/**
 * What the caller gets in place of a token: an upstream's refusal as it came, or a source's own in the same shape. Status, JSON
 * body, Retry-After header value.
 */
export interface UpstreamAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string;
}

/** The one error class; see {@link ErrorCode} for what each code means. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly answer?: UpstreamAnswer;
  readonly status?: number;
  /** As the header has it: the upstream's, or for `imds-busy` and `arm-throttled` ours, in seconds. */
  readonly retryAfter?: string;

  constructor(
    code: ErrorCode,
    message: string,
    details: {
      cause?: unknown;
      answer?: UpstreamAnswer;
      status?: number;
      retryAfter?: string | undefined;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    if (details.answer) this.answer = details.answer;
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
  }
}

/** True when `error` is ours and carries that code. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** One line that tells what went wrong, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
