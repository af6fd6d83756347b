import type { EventBatch } from '../../model/event-batch.ts';
import { isErrorLevel } from '../../model/event.ts';
import { hashKey, SpanBuffer, type Span } from './span-buffer.ts';
import { visitsOf, type Visit } from './span-tree.ts';
import { templateNumber } from './template-numbers.ts';
import { CALL, ERROR, edgeKey, featureKey, OPERATION, REPEAT_CLASSES, TEMPLATE, TraceNames } from './trace-keys.ts';
import { addCount, addLatency, createTraceWindow, type TraceWindow } from './trace-window.ts';

export interface TraceStatisticsOptions {
  /** Numbers to go on with after a restart. */
  names?: TraceNames;
  stepMs?: number;
  /** Steps kept; older ones are dropped. */
  maxSteps?: number;
}

const DEFAULT_STEP_MS = 10_000;
const DEFAULT_MAX_STEPS = 360;
/** Distinct features of one step; a step beyond has its rarer ones left out, first come first kept. */
const MAX_STEP_FEATURES = 20_000;

/**
 * Spans in, counts by step out: what calls of each entry endpoint look like, how long they take and what lies between services.
 * A call counts in the step in which it ended, seconds after its trace is complete. Traces that are not complete are not part
 * of any state: a restart loses them.
 */
export class TraceStatistics {
  readonly names: TraceNames;
  readonly #stepMs: number;
  readonly #maxSteps: number;
  readonly #steps = new Map<number, TraceWindow>();
  readonly #buffer = new SpanBuffer((spans) => this.#addTrace(spans));
  /** Times each feature of the visit at hand was seen. */
  readonly #seen = new Map<number, number>();

  constructor(options: TraceStatisticsOptions = {}) {
    this.names = options.names ?? new TraceNames();
    this.#stepMs = options.stepMs ?? DEFAULT_STEP_MS;
    this.#maxSteps = options.maxSteps ?? DEFAULT_MAX_STEPS;
  }

  observe(batch: EventBatch): void {
    const { services, endpoints, templates } = this.names;
    const { entities, endpoints: endpointTable } = batch.names;
    for (let i = 0; i < batch.count; i++) {
      const spanKey = hashKey(batch.spanHash[2 * i] as number, batch.spanHash[2 * i + 1] as number);
      const traceKey = hashKey(batch.traceHash[2 * i] as number, batch.traceHash[2 * i + 1] as number);
      const latency = batch.latency[i] as number;
      if (spanKey === 0 || traceKey === 0 || !(latency >= 0)) continue;
      const endMs = batch.timestamp[i] as number;
      const endpoint = endpoints.numberOfId(batch.names, endpointTable, batch.endpoint[i] as number);
      this.#buffer.add(traceKey, {
        spanKey,
        parentKey: hashKey(batch.parentHash[2 * i] as number, batch.parentHash[2 * i + 1] as number),
        service: services.numberOfId(batch.names, entities, batch.entity[i] as number),
        endpoint,
        template: templateNumber(batch, i, endpoints.name(endpoint), templates),
        level: batch.level[i] as number,
        startMs: endMs - latency,
        endMs,
      });
    }
  }

  /** Counts traces that are not complete yet as they are. */
  flush(): void {
    this.#buffer.flush();
  }

  /** Steps within [fromMs, toMs), in order of time. */
  steps(fromMs: number, toMs: number): TraceWindow[] {
    return [...this.#steps.values()]
      .filter((step) => step.startMs >= fromMs && step.endMs <= toMs)
      .sort((a, b) => a.startMs - b.startMs);
  }

  #addTrace(spans: readonly Span[]): void {
    const visits = visitsOf(spans);
    for (const visit of visits) this.#addVisit(visit, visits);
  }

  #addVisit(visit: Visit, visits: readonly Visit[]): void {
    const number = this.names.visitNumber(visit.service, visit.endpoint);
    if (number === 0) return;
    const step = this.#step(visit.endMs);
    if (step === undefined) return;
    addCount(step.calls, number, 1);
    addLatency(step.selfTimes, number, visit.selfMs);
    const caller = visits[visit.caller];
    if (caller && visit.gapMs >= 0) addLatency(step.gaps, edgeKey(caller.service, number), visit.gapMs);
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

  #count(step: TraceWindow, visit: number, kind: number, part: number): void {
    const key = featureKey(visit, kind, part, 0);
    const times = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, times);
    const repeatClass = Math.log2(times);
    if (!Number.isInteger(repeatClass) || repeatClass >= REPEAT_CLASSES) return;
    const classKey = featureKey(visit, kind, part, repeatClass);
    if (step.features.size < MAX_STEP_FEATURES || step.features.has(classKey)) addCount(step.features, classKey, 1);
  }

  #step(timeMs: number): TraceWindow | undefined {
    const startMs = Math.floor(timeMs / this.#stepMs) * this.#stepMs;
    const known = this.#steps.get(startMs);
    if (known) return known;
    const step = createTraceWindow(startMs, startMs + this.#stepMs);
    this.#steps.set(startMs, step);
    if (this.#steps.size > this.#maxSteps) this.#steps.delete(Math.min(...this.#steps.keys()));
    return this.#steps.get(startMs);
  }
}
