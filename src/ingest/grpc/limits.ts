/** What a client may send into one stream before it is read. Over a link of 20 ms it allows 50 MB/s a stream. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;
/** The same for all streams of a connection together. */
export const SESSION_WINDOW_BYTES = 8 * 1024 * 1024;
export const MAX_STREAMS_PER_SESSION = 128;
/** Messages of one stream that wait for their answer; past either bound the stream is not read. */
export const MAX_IN_FLIGHT_MESSAGES = 32;
export const MAX_IN_FLIGHT_BYTES = 8 * 1024 * 1024;
/** The same of methods that are open to all: what waits for a client that reads no answers is accounted for by nobody. */
export const MAX_OPEN_IN_FLIGHT_MESSAGES = 1;
/** Messages of the methods that are open to all. */
export const OPEN_LIMITS = { maxBodyBytes: 16 * 1024, bodyTimeoutMs: 10_000 } as const;
/** A connection on which HTTP/2 has not begun by then is closed. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A connection without a call for so long is closed in an orderly way; clients open another when they have something to send. */
export const IDLE_TIMEOUT_MS = 300_000;
/** A connection that is silent this long is pinged, and cut when nothing comes by the next look: its peer may be gone. */
export const PING_AFTER_MS = 60_000;
export const SWEEP_PERIOD_MS = 10_000;
/** Frames that cost the sender little: tokens a second, and the bucket. Past it the connection ends with ENHANCE_YOUR_CALM. */
export const RESET_BUDGET = { perSecond: 50, burst: 500 } as const;
export const PING_BUDGET = { perSecond: 20, burst: 1000 } as const;
export const SETTINGS_BUDGET = { perSecond: 5, burst: 100 } as const;
