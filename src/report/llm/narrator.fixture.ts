import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { MetricDefinition } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import { redactionConfigSchema } from '../../lib/redaction/config.ts';
import { createRedactor } from '../../lib/redaction/redactor.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { MemoryRecords } from '../../store/record-store.fixture.ts';
import { createBudget } from '../spending/budget.ts';
import { budgetConfigSchema } from '../spending/config.ts';
import { priceOf } from '../spending/prices.ts';
import { createReceipts } from '../spending/receipts.ts';
import type { Receipts } from '../spending/receipts.ts';
import { llmConfigSchema } from './config.ts';
import type { LlmConfig } from './config.ts';
import type { NarratorOptions } from './narrator.ts';

export const PRICES = [{ model: 'scripted', input: 0.4, output: 1.6 }];

/** Jitter at its least, so that a retry waits half of its time. */
const steadyPrng: Prng = { ...createPrng(1), next: () => 0 };

export interface Surroundings extends NarratorOptions {
  receipts: Receipts;
  records: RecordStore;
  /** Sums of counters, by name and labels. */
  counted: Map<string, number>;
}

/** Everything around a narrator, over records in memory; caps are what `budget` says, else none. */
export function surroundings(
  config: Partial<Record<keyof LlmConfig, unknown>>,
  budget: Record<string, unknown> = {},
): Surroundings {
  const records = new MemoryRecords();
  const counted = new Map<string, number>();
  const add = ({ name }: MetricDefinition, value: number, labels: Record<string, string> = {}): void => {
    const key = [name, ...Object.values(labels)].join(' ');
    counted.set(key, (counted.get(key) ?? 0) + value);
  };
  const uncapped = { per_incident: 'unlimited', per_day: 'unlimited', per_month: 'unlimited' };
  const budgetConfig = budgetConfigSchema.parse({ ...uncapped, ...budget });
  return {
    config: llmConfigSchema.parse({ model: 'scripted', ...config }),
    clock: systemClock,
    prng: steadyPrng,
    logger: silentLogger,
    metrics: { add, set() {}, observe() {} },
    redactor: createRedactor(redactionConfigSchema.parse({})),
    price: (model, tokens) => priceOf(model, tokens, PRICES),
    budget: createBudget({ records, config: budgetConfig, clock: systemClock }),
    receipts: createReceipts(records),
    records,
    counted,
  };
}
