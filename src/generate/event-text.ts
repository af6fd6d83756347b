import type { Prng } from '../lib/prng.ts';

const HEX = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

/** Eight hexadecimal digits out of one draw. */
export function hexWord(prng: Prng): string {
  const word = prng.below(2 ** 32);
  return (HEX[word >>> 16] as string) + (HEX[word & 0xffff] as string);
}

/** One hop of a request, before it is text. */
export interface HopEvent {
  service: string;
  level: string;
  message: string;
  latencyMs: number;
  path: string;
  requestId: string;
  version: string;
  traceId: string;
  spanId: string;
  /** "" for the first hop. */
  parentSpanId: string;
}

/** The event's JSON after its timestamp, which `eventLine` puts in front. No field holds what JSON would escape. */
export function eventTail(hop: HopEvent): string {
  return `","service":"${hop.service}","level":"${hop.level}","message":"${hop.message}","metadata":{"latency_ms":${
    Math.round(hop.latencyMs * 100) / 100
  },"endpoint":"${hop.path}","request_id":"req_${hop.requestId}","service.version":"${hop.version}"},"trace_id":"${
    hop.traceId
  }","span_id":"${hop.spanId}"${hop.parentSpanId === '' ? '' : `,"parent_span_id":"${hop.parentSpanId}"`}}\n`;
}

const MILLISECONDS = Array.from({ length: 1000 }, (_, value) => `${String(value).padStart(3, '0')}Z`);

/** One NDJSON line; `second` is "2025-10-08T10:30:45.". */
export function eventLine(second: string, millisecond: number, tail: string): string {
  return `{"timestamp":"${second}${MILLISECONDS[millisecond]}${tail}`;
}
