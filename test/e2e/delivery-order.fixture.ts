import type { z } from 'zod';
import type { Incident } from '../../src/model/incident.ts';
import type { Report } from '../../src/model/report.ts';
import type { notifyConfigSchema } from '../../src/report/notify/config.ts';

/** Where the process of delivery-process.fixture.ts dies. */
export const KILL_POINTS = ['before_send', 'during_send', 'after_send', 'during_record'] as const;
export interface KillPoint {
  receiver: string;
  point: (typeof KILL_POINTS)[number];
  /** Milliseconds after the point begins, for those that last. */
  afterMs: number;
}

export interface DeliveryOrder {
  incident: Incident;
  report: Report;
  kill: KillPoint | null;
}

export interface DeliveryProcessOptions {
  dir: string;
  notify: z.input<typeof notifyConfigSchema>;
  /** What is awaited before the process says that it is in step; null: nothing. */
  expected: Incident | null;
}

export type DeliveryAnswer = 'ready' | 'in step';
