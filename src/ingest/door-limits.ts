import type { IngestConfig } from './config.ts';

export interface DoorLimits {
  /** Bytes of a body, before and after decompression. */
  maxBodyBytes: number;
  /** Events, log records, spans or points of one request. */
  maxEvents: number;
  /** Milliseconds for a body to arrive. */
  bodyTimeoutMs: number;
}

/** The limits of a door: its own where the configuration has some, those of all doors otherwise. */
export function createDoorLimits(config: IngestConfig): (door: string) => DoorLimits {
  const shared: DoorLimits = {
    maxBodyBytes: config.max_body,
    maxEvents: config.max_events,
    bodyTimeoutMs: config.body_timeout,
  };
  const own = new Map(
    config.doors.map(({ door, max_body: maxBody, max_events: maxEvents, body_timeout: bodyTimeout }) => [
      door as string,
      {
        maxBodyBytes: maxBody ?? shared.maxBodyBytes,
        maxEvents: maxEvents ?? shared.maxEvents,
        bodyTimeoutMs: bodyTimeout ?? shared.bodyTimeoutMs,
      },
    ]),
  );
  return (door) => own.get(door) ?? shared;
}

/** The longest time that any door gives a body, milliseconds. */
export function longestBodyTimeoutMs(config: IngestConfig): number {
  return Math.max(config.body_timeout, ...config.doors.map((door) => door.body_timeout ?? 0));
}
