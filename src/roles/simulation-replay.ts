import type { Detector, DetectorCommand, DetectorOutput } from '../detect/detector.ts';
import { isoTime } from '../lib/clock.ts';
import type { LogReader, LogRecord } from '../log/event-log.ts';
import type { MetricScanner } from '../model/metric-scanner.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import type { Scanner } from '../model/scanner.ts';
import { CLOCK_TOLERANCE_MS, LIVE_WITHIN_MS } from './pipeline.ts';

/** Of each log; what the replay holds at once. */
const READ_BYTES = 1024 * 1024;
/** As the pipeline ticks when nothing comes; the last tick before a record counts, those between may be further apart. */
const TICK_MS = 200;
const COARSE_TICK_MS = 1000;

/** What a person told the detector, at the time when it was told. */
export interface Decision {
  atMs: number;
  command: DetectorCommand;
}

export interface History {
  reader: LogReader;
  /** Next offset after the last record to read. */
  committedOffset: number;
}

export interface ReplayOptions {
  events: History;
  points: History;
  scanner: Scanner;
  metricScanner: MetricScanner;
  /** All are shown the same, in the same order. */
  detectors: readonly Detector[];
  clockMode: 'wall' | 'events';
  /** In order of time. */
  decisions: readonly Decision[];
  /** Event time at which the replay ends. */
  toMs: number;
  /** Wall clock at which the live detector's time ends, for ticks after the last record. */
  nowMs: number;
  onOutput: (detector: number, output: DetectorOutput) => void;
  /** Share of the records that were read, 0..1. */
  onProgress: (share: number) => void;
}

export interface ReplayedHistory {
  historyFrom: string | null;
  historyLost: boolean;
}

/** One log, record by record. */
class RecordCursor {
  readonly #history: History;
  readonly firstOffset: number;
  #records: LogRecord[] = [];
  #next = 0;

  constructor(history: History) {
    this.#history = history;
    this.firstOffset = history.reader.seek(0);
  }

  /** The next record, left where it is; undefined at the end. */
  async peek(): Promise<LogRecord | undefined> {
    if (this.#next === this.#records.length) {
      this.#records = (await this.#history.reader.read(this.#history.committedOffset, READ_BYTES)) ?? [];
      this.#next = 0;
    }
    return this.#records[this.#next];
  }

  /** Whether the record taken was the last of those that are in memory. */
  take(): boolean {
    return ++this.#next === this.#records.length;
  }

  get recordCount(): number {
    return Math.max(0, this.#history.committedOffset - this.firstOffset);
  }
}

/**
 * Shows stored history to detectors as the pipeline showed it to the live one: both logs in the order of arrival, a tick of the
 * wall clock where none came, people's decisions at their time. Holds two reads and the detectors, nothing that grows with history.
 */
export class HistoryReplay {
  readonly #options: ReplayOptions;
  readonly #events: RecordCursor;
  readonly #points: RecordCursor;
  #historyFromMs = Infinity;
  #seen = 0;
  #decided = 0;
  /** Arrival of the last record, and the last tick. */
  #atMs = -Infinity;
  #tickedMs = -Infinity;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#events = new RecordCursor(options.events);
    this.#points = new RecordCursor(options.points);
  }

  async run(): Promise<ReplayedHistory> {
    for (;;) {
      const event = await this.#events.peek();
      const point = await this.#points.peek();
      const isEvent = event !== undefined && (point === undefined || event.receivedAtMs <= point.receivedAtMs);
      const record = isEvent ? event : point;
      if (record === undefined) break;
      this.#historyFromMs = Math.min(this.#historyFromMs, record.minTimestampMs);
      this.#passTime(record.receivedAtMs);
      if (isEvent) this.#showEvents(record);
      else this.#showPoints(record);
      const isReadEnd = isEvent ? this.#events.take() : this.#points.take();
      this.#seen++;
      if (isReadEnd && this.#endRead()) return this.#ended();
    }
    this.#passTime(Math.min(this.#options.nowMs, this.#options.toMs));
    return this.#ended();
  }

  #ended(): ReplayedHistory {
    const historyFrom = this.#historyFromMs === Infinity ? null : isoTime(this.#historyFromMs);
    return { historyFrom, historyLost: this.#events.firstOffset > 0 || this.#points.firstOffset > 0 };
  }

  /** Returns whether event time has passed the end. */
  #endRead(): boolean {
    const { detectors, onProgress, toMs } = this.#options;
    // The counts of error messages are stored by the pipeline; here they would only grow.
    for (const detector of detectors) detector.drainTemplates();
    onProgress(this.#seen / (this.#events.recordCount + this.#points.recordCount));
    return detectors.every((detector) => detector.status().watermarkMs >= toMs);
  }

  #showEvents(record: LogRecord): void {
    const { batch } = this.#options.scanner.scan(record.bytes, NO_LIMITS);
    this.#each((detector) => {
      detector.observe(batch, record.receivedAtMs, record.clientId);
      return detector.advance(null);
    });
    this.#decide(record.receivedAtMs);
  }

  #showPoints(record: LogRecord): void {
    const { metricScanner, clockMode } = this.#options;
    const { batch } = metricScanner.scan(record.bytes);
    const boundMs = clockMode === 'wall' ? record.receivedAtMs + CLOCK_TOLERANCE_MS : Infinity;
    this.#each((detector) => {
      detector.observeMetrics(batch, boundMs, record.position.offset + 1);
      return detector.advance(null);
    });
  }

  #each(show: (detector: Detector) => DetectorOutput): void {
    for (const [index, detector] of this.#options.detectors.entries()) this.#options.onOutput(index, show(detector));
  }

  /** Ticks as the pipeline does between the last record and the one received at `nextMs`. */
  #passTime(nextMs: number): void {
    const fromMs = this.#atMs;
    this.#atMs = Math.max(fromMs, nextMs);
    if (this.#options.clockMode === 'events' || fromMs === -Infinity || !(nextMs > fromMs)) return;
    if (fromMs >= this.#tickedMs + TICK_MS) this.#tick(fromMs);
    const lastMs = fromMs + Math.floor((nextMs - 1 - fromMs) / TICK_MS) * TICK_MS;
    for (let atMs = fromMs + COARSE_TICK_MS; atMs < lastMs && this.#tick(atMs);) atMs += COARSE_TICK_MS;
    if (lastMs > fromMs) this.#tick(lastMs);
  }

  /** False when no detector takes the clock for live: a later tick would not either. */
  #tick(atMs: number): boolean {
    this.#decide(atMs);
    this.#tickedMs = atMs;
    let isAnyLive = false;
    for (const [index, detector] of this.#options.detectors.entries()) {
      if (atMs - detector.status().watermarkMs >= LIVE_WITHIN_MS) continue;
      isAnyLive = true;
      this.#options.onOutput(index, detector.advance(atMs));
    }
    return isAnyLive;
  }

  /** Gives the detectors what people said up to now; those that do not know the incident pay no heed. */
  #decide(wallMs: number): void {
    const { decisions, detectors, clockMode } = this.#options;
    if (this.#decided === decisions.length) return;
    const nowMs = clockMode === 'wall' ? wallMs : Math.max(...detectors.map((detector) => detector.status().watermarkMs));
    for (let next = decisions[this.#decided]; next && next.atMs <= nowMs; next = decisions[this.#decided]) {
      this.#decided++;
      for (const detector of detectors) detector.command(next.command);
      this.#each((detector) => detector.advance(null));
    }
  }
}
