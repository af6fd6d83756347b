import type { Event, Kind, Level } from '../model/event.ts';
import { KIND_EVENT, KINDS, LEVELS } from '../model/event.ts';
import { formatRfc3339 } from '../model/rfc3339.ts';

/** What an event is answered from; ids are "" for none. */
export interface EventFields {
  /** Milliseconds since the epoch, the fraction holds microseconds. */
  timestamp: number;
  service: string;
  level: number;
  message: string;
  /** With every unknown top-level key. */
  metadata: Record<string, unknown>;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string;
}

/** The event as the API shows it, whatever store it comes from. */
export function eventAnswer(fields: EventFields): Event {
  return {
    timestamp: formatRfc3339(fields.timestamp),
    service: fields.service,
    level: LEVELS[fields.level] as Level,
    message: fields.message,
    metadata: fields.metadata,
    ...(fields.kind !== KIND_EVENT && { kind: KINDS[fields.kind] as Kind }),
    ...(fields.traceId !== '' && { trace_id: fields.traceId }),
    ...(fields.spanId !== '' && { span_id: fields.spanId }),
    ...(fields.parentSpanId !== '' && { parent_span_id: fields.parentSpanId }),
  };
}

/** Without the u flag an ASCII letter matches its two cases only, other letters theirs (ECMA-262, Canonicalize). */
export function textPattern(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), 'i');
}
