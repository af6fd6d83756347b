import { parseTime } from '../lib/clock.ts';
import type { LabelPatterns } from './incident-labels.ts';

/** Of the keys of records that hold silences. */
export const SILENCE_PREFIX = 'silence/';

/** Incidents that nobody is told of for a while. Times are ISO 8601. */
export interface Silence {
  id: string;
  labels: LabelPatterns;
  from: string;
  /** Exclusive. */
  to: string;
  by: string;
  comment: string;
  createdAt: string;
}

export type SilenceState = 'pending' | 'active' | 'expired';

export function silenceState({ from, to }: Pick<Silence, 'from' | 'to'>, nowMs: number): SilenceState {
  if (nowMs >= parseTime(to)) return 'expired';
  return nowMs < parseTime(from) ? 'pending' : 'active';
}
