import { z } from 'zod';
import { duration, finiteDuration } from '../lib/config-types.ts';

export const heartbeatConfigSchema = z.strictObject({
  url: z
    .string()
    .optional()
    .meta({ description: 'Called while HELIOS is up, keeps up and hears events; without one nothing is called', secret: true }),
  method: z.enum(['post', 'get']).default('post').meta({ description: 'post sends the state as JSON, get nothing' }),
  interval: finiteDuration('1m', 100).meta({ description: 'How often it is called' }),
  timeout: finiteDuration('10s', 1).meta({ description: 'An answer that takes longer counts as failed' }),
  max_lag: duration('2m').meta({ description: 'Further behind than this HELIOS does not call' }),
  max_silence: duration('15m').meta({
    description: 'Without any event for longer than this, after there were some, HELIOS does not call',
  }),
});
export type HeartbeatConfig = z.output<typeof heartbeatConfigSchema>;
