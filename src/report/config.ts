import { z } from 'zod';
import { duration, finiteDuration } from '../lib/config-types.ts';
import { llmConfigSchema } from './llm/config.ts';
import { feedbackConfigSchema } from './feedback/config.ts';
import { archiveConfigSchema } from './archive/config.ts';
import { budgetConfigSchema, pricesSchema, receiptsConfigSchema } from './spending/config.ts';

export const reportConfigSchema = z.strictObject({
  archive: archiveConfigSchema.prefault({}),
  directory: z
    .string()
    .optional()
    .meta({ description: 'Where reports are also written as Markdown and JSON files; absent: <data_dir>/reports' }),
  lookback: duration('10m').meta({ description: 'How far before the incident its evidence begins' }),
  change_window: duration('24h').meta({ description: 'Changes this long before the incident appear in its report' }),
  update_interval: finiteDuration('30s').meta({
    description: 'An open incident that changes is reported again at most this often',
  }),
  rebuild_after: duration('10m').meta({
    description: 'An incident that is still open so long after its first report is reported once more',
  }),
  llm: llmConfigSchema.prefault({}),
  feedback: feedbackConfigSchema.prefault({}),
  budget: budgetConfigSchema.prefault({}),
  prices: pricesSchema,
  receipts: receiptsConfigSchema.prefault({}),
});
export type ReportConfig = z.output<typeof reportConfigSchema>;
