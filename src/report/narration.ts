import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Incident } from '../model/incident.ts';
import type { Report } from '../model/report.ts';
import { updateRecords } from '../store/record-store.ts';
import type { Store } from '../store/store.ts';
import type { Narrator } from './llm/narrator.ts';
import { buildPack } from './pack.ts';
import { withNote } from './report-writer.ts';
import type { ReportWriter } from './report-writer.ts';
import { spentOn } from './spending/budget.ts';

/** What is kept of an incident's narrative under `narrative/<incident id>`. */
interface NarrationRecord {
  /** Attempts that were begun. */
  begun: number;
  /** Whose turn it is ends then, milliseconds since the epoch. */
  untilMs: number;
  isDone: boolean;
}

/** One narrative an incident; one whose process died is begun again so often. */
const MAX_BEGUN = 3;
const SWEEP_MS = 60_000;
const SWEPT = 100;

export interface NarrationOptions {
  narrator: Narrator;
  store: Store;
  writer: ReportWriter;
  clock: Clock;
  logger: Logger;
  /** After the first report: so long the evidence gathers before a model is asked. */
  delayMs: number;
  /** By when an attempt has ended, or its process is taken for dead. */
  deadlineMs: number;
  /** Stores and announces a report as the incident's next version. */
  amend: (report: Report) => Promise<void>;
  /** Ends what the narrator waits for. */
  stop?: () => void;
}

/** Has a model's narrative added to reports of facts, after they are stored; whatever the number of processes, once an incident. */
export class Narration implements AsyncDisposable {
  readonly #options: NarrationOptions;
  readonly #timers = new Map<string, () => void>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopSweep: () => void;
  #isClosed = false;

  constructor(options: NarrationOptions) {
    this.#options = options;
    this.#stopSweep = options.clock.every(SWEEP_MS, () => void this.#sweep());
    void this.#sweep();
  }

  /** Hears of a stored report. */
  hear({ incidentId, phase }: Pick<Report, 'incidentId' | 'phase'>): void {
    if (this.#isClosed || phase === 'narrative' || this.#timers.has(incidentId)) return;
    const { clock, delayMs } = this.#options;
    if (delayMs === 0) this.#start(incidentId);
    else
      this.#timers.set(
        incidentId,
        clock.after(delayMs, () => this.#start(incidentId)),
      );
  }

  /** Resolves when no narrative is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(incidentId: string): void {
    this.#timers.delete(incidentId);
    const run = this.#attempt(incidentId).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Gives up narratives that are under way; they are begun again by whoever comes next. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#options.stop?.();
    this.#stopSweep();
    for (const cancel of this.#timers.values()) cancel();
    await this.settled();
  }

  /** Reports whose process died before it could ask. */
  async #sweep(): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const { items } = await store.list('incident', { status: 'open', limit: SWEPT });
      for (const { id } of items) {
        const report = await store.get('report', id);
        if (report && report.phase === 'facts' && !report.note) this.hear(report);
      }
    } catch (error) {
      logger.warn('cannot look for reports without a narrative', { error: String(error) });
    }
  }

  async #attempt(incidentId: string): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const incident = await store.get('incident', incidentId);
      if (!incident || incident.mergedInto !== null || !(await this.#begin(incidentId))) return;
      const isDone = await this.#narrate(incident);
      await this.#record(incidentId, (known) => (isDone ? { ...known, isDone } : { ...known, untilMs: 0 }));
    } catch (error) {
      logger.error('no narrative for a report', { incidentId, error: String(error) });
    }
  }

  /** False when it was given up. */
  async #narrate(incident: Incident): Promise<boolean> {
    const { narrator, store, writer, amend } = this.#options;
    const { facts, report } = await writer.write(incident, await store.get('report', incident.id));
    const pack = buildPack({ facts, report, maxTokens: narrator.maxPackTokens });
    const { report: narrated, note, usage } = await narrator.narrate({ facts, report, pack });
    if (!narrated && this.#isClosed) return false;
    const told = narrated ?? (note === null ? null : withNote(report, note));
    if (told) await amend({ ...told, costUsd: await this.#costOf(report, usage?.costUsd ?? 0) });
    return true;
  }

  /** Also what an earlier attempt spent, whose process ended before its report could say so. */
  async #costOf({ incidentId, costUsd }: Report, usd: number): Promise<number> {
    const { store, clock } = this.#options;
    return Math.max(costUsd + usd, await spentOn(store.records, incidentId, clock.nowMs()));
  }

  /** True when it is this process's turn. */
  #begin(incidentId: string): Promise<boolean> {
    const { clock, deadlineMs } = this.#options;
    return this.#record(incidentId, (known) => {
      const isTaken = known.isDone || known.begun >= MAX_BEGUN || clock.nowMs() < known.untilMs;
      return isTaken ? undefined : { begun: known.begun + 1, untilMs: clock.nowMs() + deadlineMs, isDone: false };
    });
  }

  /** False when `change` answers that nothing is to be written. */
  #record(incidentId: string, change: (known: NarrationRecord) => NarrationRecord | undefined): Promise<boolean> {
    const key = `narrative/${incidentId}`;
    return updateRecords(this.#options.store.records, [key], (values) => {
      const known = (values.get(key) as NarrationRecord | undefined) ?? { begun: 0, untilMs: 0, isDone: false };
      const next = change(known);
      return { values: new Map(next ? [[key, next]] : []), answer: next !== undefined };
    });
  }
}
