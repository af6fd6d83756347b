import { entityMatches } from '../../model/entity.ts';
import type { EventRow } from '../../model/event-rules.ts';
import { judgeEvent, mergedMetadata } from '../../model/event-rules.ts';
import type { Event, Kind, Level } from '../../model/event.ts';
import { KIND_EVENT, KINDS, LEVELS } from '../../model/event.ts';
import { formatRfc3339 } from '../../model/rfc3339.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { EventQuery } from '../store.ts';

/** An event that passed the filter. */
export interface Match {
  /** Milliseconds since the epoch, the fraction holds microseconds. */
  timeMs: number;
  event: Event;
}

/** Without the u flag an ASCII letter matches its two cases only, other letters theirs (ECMA-262, Canonicalize). */
function textPattern(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), 'i');
}

function apiEvent(value: Record<string, unknown>, row: EventRow): Event {
  return {
    timestamp: formatRfc3339(row.timestamp),
    service: value['service'] as string,
    level: LEVELS[row.level] as Level,
    message: value['message'] as string,
    metadata: mergedMetadata(value),
    ...(row.kind !== KIND_EVENT && { kind: KINDS[row.kind] as Kind }),
    ...(row.traceId !== '' && { trace_id: row.traceId }),
    ...(row.spanId !== '' && { span_id: row.spanId }),
    ...(row.parentSpanId !== '' && { parent_span_id: row.parentSpanId }),
  };
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
    if (this.#text && !this.#text.test(event['message'] as string)) return null;
    return { timeMs: row.timestamp, event: apiEvent(event, row) };
  }

  #matches(row: EventRow): boolean {
    const { fromMs = -Infinity, toMs = Infinity, levels, endpoint, service } = this.#query;
    if (row.timestamp < fromMs || row.timestamp >= toMs) return false;
    if (levels.length > 0 && !levels.includes(row.level)) return false;
    if (endpoint !== undefined && row.endpoint !== endpoint) return false;
    return service === undefined || entityMatches(row.entity, service);
  }
}
