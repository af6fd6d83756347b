import { isoTime } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { Incident } from '../model/incident.ts';
import type { Report } from '../model/report.ts';
import type { Store } from '../store/store.ts';
import type { ReportConfig } from './config.ts';
import { collectFacts } from './facts.ts';
import type { Facts } from './facts.ts';
import { carryNarrative } from './llm/carry.ts';
import { buildPack } from './pack.ts';
import { createPatience } from './patience.ts';
import { renderReport } from './template/document.ts';

/** A report that is not stored yet, and what it was written from. */
export interface Draft {
  facts: Facts;
  report: Report;
}

/** Writes reports of facts, in one process as in many. */
export interface ReportWriter {
  /**
   * From what the store has now, as the version after `previous` unless another is given. What a model said of `previous` is kept as far as
   * the facts still carry it. Rejects as the store does.
   */
  write(incident: Incident, previous: Report | undefined, version?: number): Promise<Draft>;
}

export interface ReportWriterOptions {
  store: Store;
  config: ReportConfig;
  clock: Clock;
  /** Of the evidence that a model is shown. */
  maxPackTokens: number;
}

/** A sentence for people about what is missing, at the end of a report. */
export function withNote(report: Report, note: string): Report {
  return { ...report, note, markdown: `${report.markdown.trimEnd()}\n\n${note}\n` };
}

export function createReportWriter({ store, config, clock, maxPackTokens }: ReportWriterOptions): ReportWriter {
  const patience = createPatience(clock);
  const carried = (previous: Report, next: Report, facts: Facts): Report | null =>
    carryNarrative(previous, next, buildPack({ facts, report: next, maxTokens: maxPackTokens }));
  return {
    async write(incident, previous, version = (previous?.version ?? 0) + 1) {
      const facts = await collectFacts(store, incident, config, patience);
      const plain = { ...renderReport(facts, { version, createdAt: isoTime(clock.nowMs()) }), costUsd: previous?.costUsd ?? 0 };
      const report = (previous?.narrative && carried(previous, plain, facts)) ?? plain;
      return { facts, report: previous?.note ? withNote(report, previous.note) : report };
    },
  };
}
