import { z } from 'zod';
import type { Report } from '../model/report.ts';

const evidenceSchema = z.strictObject({
  id: z.string(),
  type: z.enum(['metric', 'expected', 'anomaly', 'change', 'template', 'event', 'incident', 'endpoint', 'version']),
  service: z.string(),
  feature: z.string().nullable(),
  value: z.union([z.number(), z.string()]),
  unit: z.string(),
  from: z.string(),
  to: z.string(),
  query: z.string().meta({ description: 'Path and query of the GET request that reproduces the value' }),
  pointer: z.string().meta({ description: 'JSON Pointer (RFC 6901) of the value in its answer' }),
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
  })
  .meta({ id: 'Report', description: 'An incident explained, each number with its evidence' }) satisfies z.ZodType<Report>;
