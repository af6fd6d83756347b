import { entityMatches } from '../../model/entity.ts';
import type { EventRow } from '../../model/event-rules.ts';
import { judgeEvent, mergedMetadata } from '../../model/event-rules.ts';
import type { Event } from '../../model/event.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { eventAnswer, textPattern } from '../event-answer.ts';
import type { EventQuery } from '../store.ts';

/** An event that passed the filter. */
export interface Match {
  /** Milliseconds since the epoch, the fraction holds microseconds. */
  timeMs: number;
  event: Event;
}

/** Judges stored lines against a query: time in [fromMs, toMs), service, level, endpoint and text. */
export class EventFilter {
  readonly #query: EventQuery;
  readonly #text: RegExp | null;

  constructor(query: EventQuery) {
    this.#query = query;
    this.#text = query.text === undefined || query.text === '' ? null : textPattern(query.text);
  }

  match(line: string): Match | null {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return null;
    }
    const row = judgeEvent(value, NO_LIMITS);
    if (!('timestamp' in row) || !this.#matches(row)) return null;
    const event = value as Record<string, unknown>;
    const service = event['service'] as string;
    const message = event['message'] as string;
    if (this.#text && !this.#text.test(message)) return null;
    return { timeMs: row.timestamp, event: eventAnswer({ ...row, service, message, metadata: mergedMetadata(event) }) };
  }

  #matches(row: EventRow): boolean {
    const { fromMs = -Infinity, toMs = Infinity, levels, endpoint, service } = this.#query;
    if (row.timestamp < fromMs || row.timestamp >= toMs) return false;
    if (levels.length > 0 && !levels.includes(row.level)) return false;
    if (endpoint !== undefined && row.endpoint !== endpoint) return false;
    return service === undefined || entityMatches(row.entity, service);
  }
}
