/** Each limit said out loud. A held token request may take 60 s, so answers have no time limit of their own here. */
export const limits = {
  http: {
    maxHeaderSize: 8 * 1024,
    keepAliveTimeout: 65_000,
    requireHostHeader: false, // Node would answer without JSON; isHttp1 below does it
    insecureHTTPParser: false,
    optimizeEmptyRequests: true,
  },
  headMs: 10_000,
  /** Longer than the longest hold. */
  silenceMs: 120_000,
  connections: 8192,
  /** No SDK sends 20. Kept connections with 800 each filled the memory until the agent ended (measured). */
  headers: 64,
  /** For an answer to leave, in all: what the client sends meanwhile is no sign that it reads. */
  unreadMs: 10_000,
  /** For a client to close a connection that we have ended. */
  lingerMs: 5_000,
  /**
   * Of one connection in all, bytes; then it ends. What a client leaves unread, up to 4 MB, the kernel keeps, and no limit of
   * ours counts it.
   */
  written: 256 * 1024,
  /** Within the second that SDK probes wait. */
  refusalMs: 250,
} as const;
