import { z } from 'zod';
import { duration, size } from '../lib/config-types.ts';

export const consoleConfigSchema = z.strictObject({
  stream_buffer: size('1MiB').meta({ description: 'A reader of the event stream that falls further behind is disconnected' }),
  stream_ping: duration('15s').meta({ description: 'Interval of keep-alive comments on the event stream' }),
  query_timeout: duration('30s').meta({ description: 'Queries that take longer are answered 503' }),
});
export type ConsoleConfig = z.output<typeof consoleConfigSchema>;
