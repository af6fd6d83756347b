import type { Clock } from '../lib/clock.ts';
import type { Incident } from '../model/incident.ts';
import { backoffMs } from './backoff.ts';

/** What is known of one incident's reports. */
interface Entry {
  /** Newest form of the incident. */
  incident: Incident;
  /** What the last successful report was about, as JSON; undefined before the first. */
  reported: string | undefined;
  reportedMs: number;
  /** When it was reported first; undefined before. */
  firstMs: number | undefined;
  reportedFinal: boolean;
  failures: number;
  retryMs: number;
  running: boolean;
  cancelTimer: (() => void) | undefined;
}

/** Reports made at the same time: a replay opens many incidents at once, and the store answers others too. */
const MAX_RUNNING = 4;
/** Closed incidents remembered, so that hearing of one again does not report it again. */
const MAX_CLOSED = 1000;

function isFinal(incident: Incident): boolean {
  return incident.status === 'resolved' || incident.mergedInto !== null;
}

/**
 * When to report: at once when an incident is heard of first and when it closes, else at most every `intervalMs` while it
 * changes; once more `rebuildMs` after the first time if it is open then, changed or not, for what is known of its course by then;
 * after a failure with growing delays. One report of an incident runs at a time; news that arrives meanwhile is
 * coalesced into the next.
 */
export class ReportSchedule implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #rebuildMs: number;
  readonly #run: (incident: Incident) => Promise<void>;
  readonly #entries = new Map<string, Entry>();
  readonly #closed = new Map<string, string>();
  readonly #running = new Set<Promise<void>>();
  /** Incidents whose report is due and waits for another to end. */
  readonly #queue = new Set<string>();
  #disposed = false;

  /** `run` makes one report; a rejection counts as a failure and is retried. */
  constructor(deps: { clock: Clock; intervalMs: number; rebuildMs: number; run: (incident: Incident) => Promise<void> }) {
    this.#clock = deps.clock;
    this.#intervalMs = deps.intervalMs;
    this.#rebuildMs = deps.rebuildMs;
    this.#run = deps.run;
  }

  hear(incident: Incident): void {
    if (this.#disposed || this.#closed.get(incident.id) === JSON.stringify(incident)) return;
    const entry = this.#entries.get(incident.id);
    if (entry) entry.incident = incident;
    else {
      this.#entries.set(incident.id, {
        incident,
        reported: undefined,
        reportedMs: -Infinity,
        firstMs: undefined,
        reportedFinal: false,
        failures: 0,
        retryMs: -Infinity,
        running: false,
        cancelTimer: undefined,
      });
    }
    this.#consider(incident.id);
  }

  /** Goes on with an incident that an earlier process has reported: first then, and last as of then, milliseconds since the epoch. */
  resume(incident: Incident, { firstMs, reportedMs }: { firstMs: number; reportedMs: number }): void {
    if (this.#disposed || this.#entries.has(incident.id)) return;
    const isKnown = Date.parse(incident.updatedAt) <= reportedMs;
    this.#entries.set(incident.id, {
      incident,
      reported: isKnown ? JSON.stringify(incident) : '',
      reportedMs,
      firstMs,
      reportedFinal: false,
      failures: 0,
      retryMs: -Infinity,
      running: false,
      cancelTimer: undefined,
    });
    this.#consider(incident.id);
  }

  /** Waits for reports that are running; those that were waiting for their time are dropped. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#queue.clear();
    for (const entry of this.#entries.values()) entry.cancelTimer?.();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** When the entry is to be reported next, the past for at once; undefined when there is nothing more to say. */
  #dueMs(entry: Entry): number | undefined {
    const { incident, reported, reportedFinal, reportedMs, firstMs, failures, retryMs } = entry;
    const isNews = JSON.stringify(incident) !== reported;
    const rebuildMs = firstMs === undefined || isFinal(incident) ? Infinity : firstMs + this.#rebuildMs;
    const isRebuilt = rebuildMs === Infinity || reportedMs >= rebuildMs;
    if (!isNews && isRebuilt) return undefined;
    if (failures > 0) return retryMs;
    if (isNews && isFinal(incident) && !reportedFinal) return -Infinity;
    return Math.min(isNews ? reportedMs + this.#intervalMs : Infinity, isRebuilt ? Infinity : rebuildMs);
  }

  #consider(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.running) return;
    entry.cancelTimer?.();
    entry.cancelTimer = undefined;
    const dueMs = this.#dueMs(entry);
    if (dueMs === undefined) {
      this.#retire(id, entry);
      return;
    }
    const waitMs = dueMs - this.#clock.nowMs();
    if (waitMs > 0) {
      if (!this.#disposed) entry.cancelTimer = this.#clock.after(waitMs, () => this.#consider(id));
      return;
    }
    if (this.#running.size >= MAX_RUNNING) {
      this.#queue.add(id);
      return;
    }
    const run = this.#report(entry).then(() => {
      this.#running.delete(run);
      this.#consider(id);
      this.#next();
    });
    this.#running.add(run);
  }

  #next(): void {
    const [id] = this.#queue;
    if (id === undefined || this.#running.size >= MAX_RUNNING) return;
    this.#queue.delete(id);
    this.#consider(id);
  }

  async #report(entry: Entry): Promise<void> {
    const { incident } = entry;
    entry.running = true;
    try {
      await this.#run(incident);
      entry.reported = JSON.stringify(incident);
      entry.reportedMs = this.#clock.nowMs();
      entry.firstMs ??= entry.reportedMs;
      entry.reportedFinal = isFinal(incident);
      entry.failures = 0;
    } catch {
      entry.failures++;
      entry.retryMs = this.#clock.nowMs() + backoffMs(entry.failures);
    } finally {
      entry.running = false;
    }
  }

  /** A closed incident that is reported needs no entry. */
  #retire(id: string, { incident, reported }: Entry): void {
    if (!isFinal(incident) || reported === undefined) return;
    this.#entries.delete(id);
    this.#closed.set(id, reported);
    const oldest = this.#closed.keys().next().value;
    if (this.#closed.size > MAX_CLOSED && oldest !== undefined) this.#closed.delete(oldest);
  }
}
