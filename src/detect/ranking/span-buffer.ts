/** A span as the ranking keeps it; numbers are those of `SpanNames`. */
export interface Span {
  /** 53 bits of the ids' hashes; 0 when absent. */
  spanKey: number;
  parentKey: number;
  service: number;
  endpoint: number;
  /** Template of its message; 0 when it says no more than the endpoint. */
  template: number;
  level: number;
  startMs: number;
  endMs: number;
}

/** Two 32-bit halves of a hash as one number that a Map keys well. */
export function hashKey(low: number, high: number): number {
  return (high & 0x1fffff) * 2 ** 32 + low;
}

interface PendingTrace {
  spans: Span[];
  /** Watermark when a span of it last came. */
  touchedMs: number;
  rootMs: number;
}

/** Spans of one trace come over different connections; seconds after its root has ended, the rest is there. */
const ROOT_LINGER_MS = 2_000;
/** A trace whose root does not come (sampled away, or not instrumented) is complete when it has been idle this long. */
const IDLE_MS = 60_000;
const MAX_SPANS = 50_000;
/** A trace that grows beyond is a loop or one shared id; its further spans are left out. */
const MAX_TRACE_SPANS = 2_000;

/** Gathers the spans of traces until each trace is complete. At most `MAX_SPANS` are held: beyond, the idlest traces go first. */
export class SpanBuffer {
  readonly #onTrace: (spans: readonly Span[]) => void;
  /** Least recently touched first. */
  readonly #traces = new Map<number, PendingTrace>();
  #held = 0;
  #nowMs = -Infinity;
  #sweptMs = -Infinity;

  constructor(onTrace: (spans: readonly Span[]) => void) {
    this.#onTrace = onTrace;
  }

  get heldSpans(): number {
    return this.#held;
  }

  add(traceKey: number, span: Span): void {
    this.#nowMs = Math.max(this.#nowMs, span.endMs);
    let trace = this.#traces.get(traceKey);
    if (trace === undefined) {
      trace = { spans: [], touchedMs: this.#nowMs, rootMs: Infinity };
      this.#traces.set(traceKey, trace);
    } else if (this.#nowMs - trace.touchedMs > ROOT_LINGER_MS / 2) {
      trace.touchedMs = this.#nowMs;
      this.#traces.delete(traceKey);
      this.#traces.set(traceKey, trace);
    }
    if (trace.spans.length >= MAX_TRACE_SPANS) return;
    trace.spans.push(span);
    this.#held++;
    if (span.parentKey === 0) trace.rootMs = this.#nowMs;
    if (this.#nowMs - this.#sweptMs >= ROOT_LINGER_MS / 2) this.advance(this.#nowMs);
    if (this.#held > MAX_SPANS) this.#completeIdlest();
  }

  /** Completes what is complete at `nowMs`. */
  advance(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const [key, trace] of this.#traces) {
      if (nowMs - trace.touchedMs < ROOT_LINGER_MS) break;
      if (nowMs - trace.rootMs >= ROOT_LINGER_MS || nowMs - trace.touchedMs >= IDLE_MS) this.#complete(key, trace);
    }
  }

  /** Completes everything. */
  flush(): void {
    for (const [key, trace] of this.#traces) this.#complete(key, trace);
  }

  #completeIdlest(): void {
    for (const [key, trace] of this.#traces) return this.#complete(key, trace);
  }

  #complete(key: number, trace: PendingTrace): void {
    this.#traces.delete(key);
    this.#held -= trace.spans.length;
    this.#onTrace(trace.spans);
  }
}
