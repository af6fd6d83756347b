import { z } from 'zod';
import { duration, size } from '../lib/config-types.ts';

export const logConfigSchema = z.strictObject({
  segment_size: size('64MiB').meta({ description: 'A segment is closed and sealed at this size' }),
  segment_age: duration('10m').meta({ description: 'A segment that holds events is closed and sealed at this age' }),
  sync: z
    .enum(['auto', 'sync', 'async'])
    .default('auto')
    .meta({ description: 'How fdatasync is called; auto measures the disk' }),
  max_pending: size('64MiB').meta({ description: 'Bytes waiting for a commit before appends are refused' }),
  seal_level: z.int().min(1).max(19).default(1).meta({ description: 'zstd level of sealed segments' }),
  retention_age: duration('30d').meta({ description: 'Events older than this are removed' }),
  retention_size: size('none').meta({ description: 'Oldest segments are removed past this size on disk' }),
});
export type LogConfig = z.output<typeof logConfigSchema>;
