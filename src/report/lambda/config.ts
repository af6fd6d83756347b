import { z } from 'zod';
import { duration } from '../../lib/config-types.ts';

export const lambdaConfigSchema = z.strictObject({
  partial_batches: z.boolean().default(true).meta({
    description:
      'The event source mapping has ReportBatchItemFailures; without it a batch of which anything failed has to fail whole',
  }),
  reserve: duration('3s').meta({ description: 'No report is begun when less is left of the time of an invocation' }),
});
export type LambdaConfig = z.output<typeof lambdaConfigSchema>;
