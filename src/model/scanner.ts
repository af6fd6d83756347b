import type { EventBatch } from './event-batch.ts';

/** Why one event of a request is not in; `index` counts the request's events (non-blank lines for NDJSON) from 0. */
export interface Rejection {
  index: number;
  /** The event's field, "metadata.latency_ms" style; "" when the event as a whole is wrong. */
  field: string;
  reason: string;
}

export interface ScanLimits {
  /** Events later than this are rejected; Infinity for none. Milliseconds since the epoch. */
  latestMs: number;
  /** Events earlier than this are rejected; -Infinity for none. Milliseconds since the epoch. */
  earliestMs: number;
  /** Services that the sender may post for; absent: any. The object's identity keys the scanner's cache of answers. */
  services?: { allows(service: string): boolean };
}

export const NO_LIMITS: ScanLimits = { latestMs: Infinity, earliestMs: -Infinity };

export type BodyForm = 'object' | 'array' | 'ndjson';

export interface ScanResult {
  form: BodyForm;
  batch: EventBatch;
  /** Up to `MAX_LISTED_REJECTIONS`, in order of index. */
  rejections: Rejection[];
  rejectedCount: number;
  /** Set when the body as a whole cannot be read; then the batch is empty and nothing else is set. */
  syntaxError?: string;
}

export const MAX_LISTED_REJECTIONS = 100;

/**
 * Bytes to columns. Equal to `JSON.parse` plus the event rules (`event-rules.ts`) for every input: same events accepted,
 * same columns, same rejections. The result is valid until the next call. May overwrite raw newlines inside an event of
 * an array or object body with spaces, so that every slice is one line.
 */
export interface Scanner {
  scan(body: Uint8Array, limits: ScanLimits): ScanResult;
}
