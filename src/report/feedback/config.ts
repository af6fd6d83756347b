import { z } from 'zod';
import { duration } from '../../lib/config-types.ts';

export const feedbackConfigSchema = z.strictObject({
  preview_window: duration('30d').meta({
    description: 'How far back HELIOS looks when it says what feedback would have changed',
  }),
});
export type FeedbackConfig = z.output<typeof feedbackConfigSchema>;
