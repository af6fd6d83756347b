import type { Delivery } from './event-batches.ts';
import { EventBatches } from './event-batches.ts';
import { EventStream } from './event-stream.ts';
import type { StreamSource } from './event-stream.ts';
import { EventText } from './event-text.ts';
import type { Condition } from './condition.ts';
import { EffectMeter } from './effect-ratio.ts';
import type { Fleet } from './fleet.ts';
import { createFleet } from './fleet.ts';
import { FleetTimeline } from './fleet-timeline.ts';
import type { GeneratorOptions } from './generator-options.ts';
import { resolveOptions } from './generator-options.ts';
import type { Label } from './label.ts';
import { labelOf } from './label.ts';
import { kindOf, planConditions } from './schedule.ts';

const STEP_MS = 1000;

/** Some whole events as NDJSON, a newline after each, in order of delivery. */
export interface EventChunk {
  bytes: Buffer;
  count: number;
  /** Time of delivery up to which the stream is complete with this chunk, milliseconds since the epoch. */
  toMs: number;
}

/** A synthetic event stream with its truth. The same options give the same bytes, however they are cut. */
export interface Generator {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /** Names of the services, the one that users reach first. */
  readonly services: readonly string[];
  /** Faults and harmless happenings in order of start; measuring the faults takes some milliseconds each, once. */
  readonly labels: readonly Label[];
  /** The whole stream in chunks of about `chunkEvents` events (exactly, but for the last one). */
  events(chunkEvents?: number): Iterable<EventChunk>;
  /** The events of `[fromMs, toMs)` alone, a pure function of the options and these times. */
  slice(fromMs: number, toMs: number): EventChunk;
  /** Successive slices without repeated work: each call gives the events up to `toMs` since the call before. */
  cursor(fromMs: number): (toMs: number) => EventChunk;
  /**
   * The same events as a scanner's batches, without text (event-batches.ts says what they lack). Each call takes the batches of
   * the call before back.
   */
  batches(fromMs: number): (toMs: number) => readonly Delivery[];
}

/** Throws `invalid_argument` for options that make no stream. */
export function createGenerator(options: GeneratorOptions): Generator {
  const resolved = resolveOptions(options);
  const { seed, startMs, durationMs, rate } = resolved;
  const endMs = startMs + durationMs;
  const fleet = createFleet(seed, resolved.services);
  const requestRate = rate / fleet.eventsPerRequest;
  const conditions = planConditions(resolved, fleet);
  const timeline = new FleetTimeline(fleet, conditions, seed);
  const source = { fleet, timeline, seed, requestRate, startMs };
  const cursor = (fromMs: number): ((toMs: number) => EventChunk) => {
    const next = lineCursor(source, fromMs);
    return (toMs) => chunkOf(next(Math.min(toMs, endMs)), toMs);
  };
  let labels: Label[] | undefined;
  return {
    startMs,
    endMs,
    services: fleet.services.map(({ name }) => name),
    get labels() {
      return (labels ??= labelsOf(conditions, fleet, timeline, resolved.seed, requestRate));
    },
    events: (chunkEvents = 1000) => chunks(lineCursor(source, startMs), startMs, endMs, chunkEvents),
    slice: (fromMs, toMs) => cursor(fromMs)(toMs),
    cursor,
    batches(fromMs) {
      const stream = new EventStream(source, fromMs);
      const batches = new EventBatches(fleet);
      return (toMs) => {
        batches.clear();
        stream.advanceTo(Math.min(toMs, endMs), (hops, row) => batches.add(hops, row));
        return batches.take();
      };
    },
  };
}

/** Successive lines of a stream. */
function lineCursor(source: StreamSource, fromMs: number): (toMs: number) => string[] {
  const stream = new EventStream(source, fromMs);
  const text = new EventText(source.fleet);
  return (toMs) => {
    const lines: string[] = [];
    stream.advanceTo(toMs, (hops, row) => lines.push(text.line(hops, row)));
    return lines;
  };
}

function labelsOf(
  conditions: readonly Condition[],
  fleet: Fleet,
  timeline: FleetTimeline,
  seed: number,
  requestRate: number,
): Label[] {
  const meter = new EffectMeter(fleet, conditions, seed);
  return conditions.map((condition) => {
    const context = { fleet, requestRate, versions: versionsOf(condition, timeline) };
    return labelOf(condition, condition.benign ? context : { ...context, measured: meter.measure(condition) });
  });
}

function versionsOf({ kind, service, startMs }: Condition, timeline: FleetTimeline): Record<string, string> {
  if (!kindOf(kind).deployment) return {};
  return { version: timeline.versionAt(service, startMs), previousVersion: timeline.versionAt(service, startMs - 1) };
}

function* chunks(next: (toMs: number) => string[], startMs: number, endMs: number, chunkEvents: number): Iterable<EventChunk> {
  let lines: string[] = [];
  for (let at = startMs; at < endMs; at += STEP_MS) {
    const toMs = Math.min(at + STEP_MS, endMs);
    lines = lines.concat(next(toMs));
    while (lines.length >= chunkEvents) yield chunkOf(lines.splice(0, chunkEvents), toMs);
  }
  if (lines.length > 0) yield chunkOf(lines, endMs);
}

function chunkOf(lines: string[], toMs: number): EventChunk {
  return { bytes: Buffer.from(lines.join(''), 'latin1'), count: lines.length, toMs };
}
