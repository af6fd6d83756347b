import type { EventBatch } from '../../model/event-batch.ts';
import { isErrorLevel } from '../../model/event.ts';
import { hashKey, SpanBuffer, type Span, type SpanBufferState } from './span-buffer.ts';
import { visitsOf, type Visit } from './span-tree.ts';
import { templateNumber } from './template-numbers.ts';
import {
  CALL,
  ERROR,
  edgeKey,
  featureKey,
  OPERATION,
  REPEAT_CLASSES,
  TEMPLATE,
  TraceNames,
  type TraceNamesState,
} from './trace-keys.ts';
import { depthOf, TraceSampler, type TraceSamplerState } from './trace-sampler.ts';
import { addStepLatency, countInStep, createTraceStep, type TraceStep } from './trace-step.ts';

/** Plain data. */
export interface TraceStatisticsState {
  names: TraceNamesState;
  steps: TraceStep[];
  buffer: SpanBufferState;
  sampler: TraceSamplerState;
}

export const TRACE_STEP_MS = 10_000;
/** Steps kept; older ones are dropped. */
const MAX_STEPS = 60;

/**
 * Spans in, counts by step out: what calls of each entry endpoint look like, how long they take and what lies between services.
 * A call counts in the step in which it ended, seconds after its trace is complete. Bounded at any rate: of many traces a
 * sample is looked at.
 */
export class TraceStatistics {
  #names = new TraceNames();
  #sampler = new TraceSampler();
  readonly #steps = new Map<number, TraceStep>();
  readonly #buffer = new SpanBuffer((spans, key) => this.#addTrace(spans, key));
  /** Times each feature of the visit at hand was seen. */
  readonly #seen = new Map<number, number>();

  get names(): TraceNames {
    return this.#names;
  }

  get state(): TraceStatisticsState {
    return {
      names: this.#names.state,
      steps: [...this.#steps.values()],
      buffer: this.#buffer.state,
      sampler: this.#sampler.state,
    };
  }

  set state({ names, steps, buffer, sampler }: TraceStatisticsState) {
    this.#names = new TraceNames(names);
    this.#sampler = new TraceSampler(sampler);
    this.#buffer.state = buffer;
    this.#steps.clear();
    for (const step of steps) this.#steps.set(step.startMs, step);
  }

  /** `latestMs`: spans that end later come from a clock that is ahead, and are taken not to be later. */
  observe(batch: EventBatch, latestMs = Infinity): void {
    const { traceHash, spanHash, timestamp, latency, count } = batch;
    for (let i = 0; i < count; i++) {
      const traceHigh = traceHash[2 * i + 1] as number;
      const endMs = timestamp[i] as number;
      if (traceHigh === 0 && traceHash[2 * i] === 0) continue;
      if (spanHash[2 * i] === 0 && spanHash[2 * i + 1] === 0) continue;
      if (!((latency[i] as number) >= 0)) continue;
      if (this.#sampler.admits(depthOf(traceHigh), Math.max(this.#buffer.nowMs, Math.min(endMs, latestMs)))) {
        this.#addSpan(batch, i, latestMs);
      }
    }
  }

  #addSpan(batch: EventBatch, i: number, latestMs: number): void {
    const { services, endpoints, templates } = this.#names;
    const { traceHash, spanHash, parentHash, names } = batch;
    const endMs = batch.timestamp[i] as number;
    const endpoint = endpoints.numberOfId(names, names.endpoints, batch.endpoint[i] as number);
    const span = {
      spanKey: hashKey(spanHash[2 * i] as number, spanHash[2 * i + 1] as number),
      parentKey: hashKey(parentHash[2 * i] as number, parentHash[2 * i + 1] as number),
      service: services.numberOfId(names, names.entities, batch.entity[i] as number),
      endpoint,
      template: templateNumber(batch, i, endpoints.name(endpoint), templates),
      level: batch.level[i] as number,
      startMs: endMs - (batch.latency[i] as number),
      endMs,
    };
    this.#buffer.add(hashKey(traceHash[2 * i] as number, traceHash[2 * i + 1] as number), span, latestMs);
  }

  /** Counts traces that are not complete yet as they are. */
  flush(): void {
    this.#buffer.flush();
  }

  /** Completes what is complete at `nowMs`. */
  advance(nowMs: number): void {
    this.#buffer.advance(nowMs);
  }

  /** Forgets steps that end at or before `beforeMs`. */
  dropSteps(beforeMs: number): void {
    for (const [startMs, step] of this.#steps) if (step.endMs <= beforeMs) this.#steps.delete(startMs);
  }

  /** Steps within [fromMs, toMs), in order of time. */
  steps(fromMs: number, toMs: number): TraceStep[] {
    return [...this.#steps.values()]
      .filter((step) => step.startMs >= fromMs && step.endMs <= toMs)
      .sort((a, b) => a.startMs - b.startMs);
  }

  #addTrace(spans: readonly Span[], key: number): void {
    let startMs = Infinity;
    for (const span of spans) startMs = Math.min(startMs, span.startMs);
    if (!this.#sampler.isWhole(depthOf(Math.floor(key / 2 ** 32)), startMs)) return;
    const visits = visitsOf(spans);
    for (const visit of visits) this.#addVisit(visit, visits);
  }

  #addVisit(visit: Visit, visits: readonly Visit[]): void {
    const number = this.names.visitNumber(visit.service, visit.endpoint);
    if (number === 0) return;
    const step = this.#step(visit.endMs);
    if (step === undefined) return;
    countInStep(step.calls, number);
    addStepLatency(step.selfTimes, number, visit.selfMs);
    const caller = visits[visit.caller];
    if (caller && visit.gapMs >= 0) addStepLatency(step.gaps, edgeKey(caller.service, number), visit.gapMs);
    this.#seen.clear();
    for (const span of visit.spans) {
      if (span !== visit.spans[0]) this.#count(step, number, OPERATION, span.endpoint);
      if (span.template !== 0) this.#count(step, number, TEMPLATE, span.template);
      if (isErrorLevel(span.level)) this.#count(step, number, ERROR, span.endpoint);
    }
    for (const index of visit.callees) {
      const callee = visits[index] as Visit;
      this.#count(step, number, CALL, this.names.visitNumber(callee.service, callee.endpoint));
    }
  }

  #count(step: TraceStep, visit: number, kind: number, part: number): void {
    const key = featureKey(visit, kind, part, 0);
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    const repeatClass = Math.log2(times);
    if (!Number.isInteger(repeatClass) || repeatClass >= REPEAT_CLASSES) return;
    countInStep(step.features, featureKey(visit, kind, part, repeatClass));
  }

  #step(timeMs: number): TraceStep | undefined {
    const startMs = Math.floor(timeMs / TRACE_STEP_MS) * TRACE_STEP_MS;
    const known = this.#steps.get(startMs);
    if (known) return known;
    if (startMs > this.#buffer.nowMs) return undefined;
    const step = createTraceStep(startMs, startMs + TRACE_STEP_MS);
    this.#steps.set(startMs, step);
    if (this.#steps.size > MAX_STEPS) this.#steps.delete(Math.min(...this.#steps.keys()));
    return this.#steps.get(startMs);
  }
}
