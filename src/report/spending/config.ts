import { z } from 'zod';
import { duration, finiteDuration, size } from '../../lib/config-types.ts';

const cap = (fallback: number, description: string) =>
  z
    .union([z.number().min(0).max(1_000_000), z.literal('unlimited')])
    .default(fallback)
    .meta({ description });

export const budgetConfigSchema = z.strictObject({
  per_incident: cap(0.25, 'USD that language models may cost for one incident; 0 asks none, unlimited has no cap'),
  per_day: cap(5, 'USD for one day in UTC'),
  per_month: cap(50, 'USD for one calendar month in UTC'),
  hold: finiteDuration('10m', 1000).meta({
    description: 'What was set aside for a request and not settled by then, because its process died, counts as spent',
  }),
});
export type BudgetConfig = z.output<typeof budgetConfigSchema>;

export const priceSchema = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(200)
    .meta({ description: 'Name of the model, also of its dated versions; * is every other that is not in the built-in list' }),
  input: z.number().min(0).max(100_000).meta({ description: 'USD for a million tokens sent' }),
  output: z.number().min(0).max(100_000).meta({ description: 'USD for a million tokens received' }),
});
export type ModelPrice = z.output<typeof priceSchema>;

export const pricesSchema = z
  .array(priceSchema)
  .max(1000)
  .default([])
  .meta({ description: 'What models cost; comes before the built-in list' });

export const receiptsConfigSchema = z.strictObject({
  retention: duration('90d').meta({ description: 'Receipts of requests to language models are removed after it' }),
  max_size: size('256KiB').meta({ description: 'Of a longer body the beginning is kept, with the checksum of all of it' }),
});
export type ReceiptsConfig = z.output<typeof receiptsConfigSchema>;
