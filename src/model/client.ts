/** What a client of the ingest doors sent since the process started, and what became of it. Times are ISO 8601. */
export interface ClientReport {
  /** Id of its API key, or its address when no keys are configured; "" for those whom no key let in. */
  client: string;
  /** Address of those whom no key let in; null for clients. */
  peer: string | null;
  firstSeen: string;
  lastSeen: string;
  /** Requests whose body was judged. */
  requests: number;
  /** Events and points that are durable. */
  accepted: number;
  /** Bytes of bodies as sent. */
  bytes: number;
  /** Events and points that were left out. */
  rejected: number;
  /** Most frequent first; "other" sums up what is not told apart. */
  rejectedBy: { field: string; reason: string; count: number }[];
  /** Requests answered with an error, by its code: rate_limited and overloaded are what throttling says. */
  refused: { code: string; count: number }[];
  /** The last error at each door. */
  lastErrors: { door: string; at: string; code: string; message: string }[];
  /** Requests in flight at this moment, and the memory that they hold. */
  inFlight: number;
  heldBytes: number;
}
