import { createEventBatch, createNames, type EventBatch } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { rankTraceCauses, type TraceCause } from './trace-causes.ts';
import { TraceProfile } from './trace-profile.ts';
import { TraceStatistics } from './trace-statistics.ts';
import { blocksOf, sumSteps } from './trace-window.ts';

/** A call and what it calls, one after the other. */
export interface Call {
  service: string;
  endpoint: string;
  /** Own time before the children. */
  workMs: number;
  message?: string;
  level?: string;
  children?: Call[];
  /** The caller's span around it is longer by this. */
  wayMs?: number;
}

interface Line {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  metadata: { latency_ms: number; endpoint: string };
  trace_id: string;
  span_id: string;
  parent_span_id?: string;
}

let lastSpan = 0;

function addCall(lines: Line[], call: Call, startMs: number, trace: string, parent?: string): number {
  const spanId = `s${++lastSpan}`;
  let endMs = startMs + call.workMs;
  for (const child of call.children ?? []) {
    const isOwn = child.service === call.service;
    const client = isOwn ? spanId : `s${++lastSpan}`;
    const way = child.wayMs ?? 1;
    const childStart = endMs;
    endMs = addCall(lines, child, isOwn ? childStart : childStart + way / 2, trace, client);
    if (isOwn) continue;
    endMs += way / 2;
    lines.push(
      lineOf({ ...call, endpoint: 'client', message: 'client', level: 'INFO' }, childStart, endMs, trace, client, spanId),
    );
  }
  lines.push(lineOf(call, startMs, endMs, trace, spanId, parent));
  return endMs;
}

function lineOf(call: Call, startMs: number, endMs: number, trace: string, spanId: string, parent?: string): Line {
  return {
    timestamp: new Date(Math.round(endMs)).toISOString(),
    service: call.service,
    level: call.level ?? 'INFO',
    message: call.message ?? call.endpoint,
    metadata: { latency_ms: endMs - startMs, endpoint: call.endpoint },
    trace_id: trace,
    span_id: spanId,
    ...(parent === undefined ? {} : { parent_span_id: parent }),
  };
}

const SMALL = { entities: 50, endpoints: 50, versions: 5 };
const START_MS = Date.UTC(2025, 0, 6);
export const FAULT_MS = START_MS + 300_000;

/** Batches of a trace a second: five minutes of `normal`, then one of `faulty`. */
export function traffic(normal: (i: number) => Call, faulty: (i: number) => Call): EventBatch[] {
  const scanner = createJsonScanner(createNames(SMALL));
  const batches: EventBatch[] = [];
  for (let minute = 0; minute < 6; minute++) {
    const lines: Line[] = [];
    for (let i = 60 * minute; i < 60 * minute + 60; i++) {
      addCall(lines, i < 300 ? normal(i) : faulty(i), START_MS + 1000 * i, `t${i}`);
    }
    const body = Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'));
    batches.push({ ...createEventBatch(createNames(SMALL), 1), ...copyOf(scanner.scan(body, NO_LIMITS).batch) });
  }
  return batches;
}

function copyOf(batch: EventBatch): EventBatch {
  const { names, ...columns } = batch;
  return { ...structuredClone(columns), names };
}

/** The ranking after `batches`, whose last minute is the incident. */
export function causesOf(batches: readonly EventBatch[]): TraceCause[] {
  const statistics = new TraceStatistics();
  for (const batch of batches) statistics.observe(batch);
  statistics.flush();
  const profile = new TraceProfile(statistics.names);
  for (const block of blocksOf(statistics.steps(-Infinity, FAULT_MS), 60_000)) profile.learn(block);
  return rankTraceCauses(profile.state, sumSteps(statistics.steps(FAULT_MS, Infinity)), statistics.names);
}
