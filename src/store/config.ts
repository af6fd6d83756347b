import { z } from 'zod';
import { duration } from '../lib/config-types.ts';

export const storeConfigSchema = z.strictObject({
  commit_interval: duration('1s').meta({ description: 'How often rollups and the log offset are committed' }),
  checkpoint_interval: duration('15s').meta({ description: 'How often the detector state is stored' }),
  retention: duration('90d').meta({
    description: 'Rollups, anomalies, incidents, reports and changes older than this are removed',
  }),
  max_series: z.int().min(1).default(200_000).meta({
    description: 'Metric series kept at most; points of further ones are dropped and counted',
  }),
});
export type StoreConfig = z.output<typeof storeConfigSchema>;
