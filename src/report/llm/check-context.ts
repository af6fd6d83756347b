import type { Report } from '../../model/report.ts';
import type { SlotSource } from './slots.ts';

/** What claims are held against. */
export interface CheckContext extends SlotSource {
  verdict: Report['verdict'];
  names: ReadonlySet<string>;
}
