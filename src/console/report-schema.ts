import { z } from 'zod';
import type { Report } from '../model/report.ts';

const pair = z.tuple([z.string(), z.string()]);
const derivationSchema = z
  .union([
    z.strictObject({ rule: z.enum(['ratio', 'rate_ratio', 'product']), of: pair }),
    z.strictObject({
      rule: z.literal('count'),
      where: z.array(z.strictObject({ pointer: z.string(), value: z.union([z.string(), z.number(), z.boolean(), z.null()]) })),
    }),
  ])
  .meta({
    description:
      'How the value follows from two other items (ratio, rate_ratio: of values by length of range, product: rounded), or is a count of entries of the array at the pointer; absent: it stands there',
  });

const evidenceSchema = z.strictObject({
  id: z.string(),
  type: z.enum([
    'metric',
    'expected',
    'anomaly',
    'ratio',
    'change',
    'template',
    'event',
    'incident',
    'endpoint',
    'version',
    'call',
  ]),
  service: z.string(),
  feature: z.string().nullable(),
  value: z.union([z.number(), z.string()]),
  unit: z.string(),
  from: z.string(),
  to: z.string(),
  query: z.string().meta({ description: 'Path and query of the GET request that reproduces the value' }),
  pointer: z.string().meta({ description: 'JSON Pointer (RFC 6901) of the value in its answer' }),
  derived: derivationSchema.exactOptional(),
});

const narrativeSchema = z.strictObject({
  model: z.string(),
  promptVersion: z.string(),
  claims: z.array(
    z.strictObject({
      kind: z.enum(['impact', 'cause', 'action', 'context']),
      subject: z.string(),
      feature: z.string().nullable(),
      direction: z.enum(['up', 'down']).nullable(),
      evidence: z.array(z.string()),
      horizon: z.enum(['immediate', 'short_term', 'long_term']).nullable(),
      sentence: z.string().meta({ description: 'As the model wrote it, with slots for every fact' }),
      text: z.string().meta({ description: 'With the slots filled, as Markdown' }),
    }),
  ),
  roles: z.record(z.string(), z.string()),
});

export const reportSchema = z
  .strictObject({
    incidentId: z.string(),
    version: z.int(),
    phase: z.enum(['facts', 'narrative']),
    verdict: z.enum(['CONFIRMED', 'LIKELY', 'INCONCLUSIVE']),
    createdAt: z.string().meta({ format: 'date-time' }),
    sections: z.strictObject({
      summary: z.string(),
      impactAssessment: z.string(),
      rootCauseAnalysis: z.string(),
      recommendedActions: z.strictObject({
        immediate: z.array(z.string()),
        shortTerm: z.array(z.string()),
        longTerm: z.array(z.string()),
      }),
    }),
    timeline: z.array(z.strictObject({ at: z.string(), text: z.string(), evidence: z.array(z.string()) })),
    evidence: z.array(evidenceSchema),
    costUsd: z.number(),
    markdown: z.string(),
    narrative: narrativeSchema
      .optional()
      .meta({ description: 'The sentences that a language model added, each checked against the evidence' }),
    note: z.string().optional().meta({ description: 'What is missing and why, such as that no model was asked' }),
  })
  .meta({ id: 'Report', description: 'An incident explained, each number with its evidence' }) satisfies z.ZodType<Report>;
