import { z } from 'zod';
import {
  FEEDBACK_LABELS,
  LISTED_LABELS,
  type Feedback,
  type FeedbackAnswer,
  type FeedbackQuality,
  type QuietRule,
} from '../model/feedback.ts';
import { severitySchema, signalSchema } from './schemas.ts';

const time = z.string().meta({ format: 'date-time' });
const hour = z.int().min(0).max(23);
const hours = z.strictObject({ from: hour, to: hour }).meta({ description: 'Hours of the day in UTC, [from, to)' });
const match = z.enum(['entity', 'service']);
const name = z.string().min(1).max(500);

const ruleSchema = z
  .strictObject({
    id: z.string(),
    label: z.enum(['expected', 'false_alarm']),
    by: z.string(),
    at: time,
    patterns: z.array(
      z.strictObject({
        service: z.string(),
        match,
        signal: signalSchema,
        severity: severitySchema,
        features: z.array(
          z.strictObject({
            feature: z.string(),
            direction: z.enum(['up', 'down']),
            limit: z.number().meta({ description: 'A ratio for event_count, else a difference from what is expected' }),
          }),
        ),
        durationMs: z.number(),
        hours: hours.nullable(),
      }),
    ),
  })
  .meta({ id: 'QuietRule', description: 'Anomalies like these are recorded and call nobody' }) satisfies z.ZodType<QuietRule>;

export const feedbackSchema = z
  .strictObject({
    id: z.string(),
    label: z.enum(LISTED_LABELS),
    incidentId: z.string().nullable().meta({ description: 'Null for a fault that was missed' }),
    services: z.array(z.string()),
    from: time,
    to: time.nullable(),
    by: z.string(),
    at: time,
    note: z.string().nullable(),
    cause: z.string().nullable(),
    rule: ruleSchema.nullable(),
    effect: z.string().nullable().meta({ description: 'What the rule would have changed, when it was made' }),
    takenBack: z.strictObject({ by: z.string(), at: time, reason: z.enum(['person', 'relabelled']) }).nullable(),
  })
  .meta({ id: 'Feedback', description: 'What a person said of an incident' }) satisfies z.ZodType<Feedback>;

export const feedbackAnswerSchema = z
  .strictObject({
    feedback: feedbackSchema.nullable().meta({ description: 'Null in an answer to what was only a question' }),
    preview: z
      .strictObject({
        days: z.number(),
        alerts: z.int(),
        incidents: z.int(),
        fewerAlerts: z.int(),
        fewerIncidents: z.int(),
        confirmedHidden: z.array(z.string()).meta({ description: 'Incidents that a person called real' }),
        sentence: z.string().meta({ examples: ['14 fewer alerts, 0 confirmed incidents hidden'] }),
      })
      .nullable()
      .meta({ description: 'What the rule would have changed; null when there is none' }),
  })
  .meta({ id: 'FeedbackAnswer' }) satisfies z.ZodType<FeedbackAnswer>;

const count = z.int();

export const qualitySchema = z
  .strictObject({
    labels: z.strictObject({
      real: count,
      expected: count,
      false_alarm: count,
      new_normal: count,
      wrong_cause: count,
      missed: count,
    }),
    precision: z.number().nullable(),
    recall: z.number().nullable(),
  })
  .meta({ id: 'FeedbackQuality', description: 'By what people said and did not take back' }) satisfies z.ZodType<FeedbackQuality>;

export const byField = z.string().min(1).max(200);
const note = z.string().max(2000);

export const feedbackBody = z.strictObject({
  label: z.enum(FEEDBACK_LABELS),
  by: byField.optional(),
  note: note.optional(),
  cause: name.optional().meta({ description: 'The service that it was; of wrong_cause' }),
  apply: z.boolean().optional().meta({ description: 'false: the label is kept and changes nothing' }),
  force: z.boolean().optional().meta({ description: 'Makes the rule although it hides confirmed incidents' }),
  preview: z.boolean().optional().meta({ description: 'Only says what it would have changed' }),
  scope: z
    .strictObject({ services: z.array(name).min(1).max(100).optional(), match: match.optional(), hours: hours.optional() })
    .optional()
    .meta({ description: 'Which later anomalies: of these services of the incident, wherever they run, at these hours' }),
});

export const missedBody = z.strictObject({
  service: name,
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
  by: byField.optional(),
  note: note.optional(),
});
