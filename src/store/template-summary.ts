import { isoTime } from '../lib/clock.ts';
import type { TemplateSummary } from './store.ts';

/** A template with its occurrences in a range, as any store's tables have it. */
export interface SummaryRow {
  entity: string;
  hash: string;
  template: string;
  example: string;
  first_seen_ms: number;
  last_seen_ms: number;
  count: number;
}

export function summaryOf(row: SummaryRow): TemplateSummary {
  return {
    service: row.entity,
    templateId: row.hash,
    template: row.template,
    count: row.count,
    firstSeen: isoTime(row.first_seen_ms),
    lastSeen: isoTime(row.last_seen_ms),
    example: row.example,
  };
}
