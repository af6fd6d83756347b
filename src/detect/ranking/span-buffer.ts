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

/** A trace that is not complete yet. Plain data. */
export interface PendingTrace {
  key: number;
  spans: Span[];
  /** Watermark when a span of it last came. */
  touchedMs: number;
  rootMs: number;
}

/** Plain data. */
export interface SpanBufferState {
  /** Least recently touched first. */
  traces: PendingTrace[];
  nowMs: number;
  sweptMs: number;
}

/** Spans of one trace come over different connections; seconds after its root has ended, the rest is there. */
const ROOT_LINGER_MS = 2_000;
/** A trace whose root does not come (sampled away, or not instrumented) is complete when it has been idle this long. */
const IDLE_MS = 60_000;
const MAX_SPANS = 20_000;
/** A trace that grows beyond is a loop or one shared id; its further spans are left out. */
const MAX_TRACE_SPANS = 2_000;

/** Gathers the spans of traces until each trace is complete. At most `MAX_SPANS` are held: beyond, the idlest traces go first. */
export class SpanBuffer {
  readonly #onTrace: (spans: readonly Span[], key: number) => void;
  /** Least recently touched first. */
  readonly #traces = new Map<number, PendingTrace>();
  #held = 0;
  #nowMs = -Infinity;
  #sweptMs = -Infinity;

  constructor(onTrace: (spans: readonly Span[], key: number) => void) {
    this.#onTrace = onTrace;
  }

  get state(): SpanBufferState {
    return { traces: [...this.#traces.values()], nowMs: this.#nowMs, sweptMs: this.#sweptMs };
  }

  set state({ traces, nowMs, sweptMs }: SpanBufferState) {
    this.#traces.clear();
    this.#held = 0;
    for (const trace of traces) {
      this.#traces.set(trace.key, trace);
      this.#held += trace.spans.length;
    }
    this.#nowMs = nowMs;
    this.#sweptMs = sweptMs;
  }

  /** Latest time of a span, milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get heldSpans(): number {
    return this.#held;
  }

  /** `latestMs`: no later time is believed. */
  add(traceKey: number, span: Span, latestMs = Infinity): void {
    this.#nowMs = Math.max(this.#nowMs, Math.min(span.endMs, latestMs));
    let trace = this.#traces.get(traceKey);
    if (trace === undefined) {
      trace = { key: traceKey, spans: [], touchedMs: this.#nowMs, rootMs: Infinity };
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
    for (const trace of this.#traces.values()) {
      if (nowMs - trace.touchedMs < ROOT_LINGER_MS) break;
      if (nowMs - trace.rootMs >= ROOT_LINGER_MS || nowMs - trace.touchedMs >= IDLE_MS) this.#complete(trace);
    }
  }

  /** Completes everything. */
  flush(): void {
    for (const trace of this.#traces.values()) this.#complete(trace);
  }

  #completeIdlest(): void {
    for (const trace of this.#traces.values()) return this.#complete(trace);
  }

  #complete({ key, spans }: PendingTrace): void {
    this.#traces.delete(key);
    this.#held -= spans.length;
    this.#onTrace(spans, key);
  }
}
