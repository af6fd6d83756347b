import { z } from 'zod';
import { ERROR_CODES } from '../lib/errors.ts';
import type { ErrorCode, Problem } from '../lib/errors.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { KINDS } from '../model/event.ts';
import type { Event } from '../model/event.ts';
import { FEEDBACK_LABELS } from '../model/feedback.ts';
import { INCIDENT_EVENT_TYPES, type Change, type Incident } from '../model/incident.ts';
import { SERIES_KINDS } from '../model/metric.ts';
import { FEATURES } from '../model/rollup.ts';
import type { SeriesSummary } from '../store/metric-store.ts';
import type { ServiceSummary, TemplateSummary } from '../store/store.ts';

const time = z.string().meta({ format: 'date-time', examples: ['2025-10-08T10:30:45.000Z'] });
const share = z.number().min(0).max(1);
export const featureSchema = z.enum(FEATURES);
export const severitySchema = z.enum(['low', 'medium', 'high', 'critical']);
export const signalSchema = z.enum(['error_rate', 'latency', 'traffic', 'silence', 'multivariate', 'metric']);

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    field: z.string().optional().meta({ description: 'The parameter or body field at fault' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document; code is stable' }) satisfies z.ZodType<Problem>;

export const eventSchema = z
  .strictObject({
    timestamp: time,
    service: z.string(),
    level: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL']),
    message: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    kind: z.enum(KINDS).exactOptional().meta({ description: 'Absent for native events' }),
    trace_id: z.string().exactOptional(),
    span_id: z.string().exactOptional(),
    parent_span_id: z.string().exactOptional(),
  })
  .meta({ id: 'Event' }) satisfies z.ZodType<Event>;

const attributionSchema = z.strictObject({
  feature: z.string().meta({ description: 'A window feature, or the name of a received metric series' }),
  direction: z.enum(['up', 'down']),
  expected: z.number(),
  low: z.number(),
  high: z.number(),
  observed: z.number(),
  share,
});

const newNormalSchema = z
  .strictObject({
    state: z.enum(['proposed', 'accepted', 'rejected']),
    since: time,
    deploy: z.string().nullable(),
  })
  .meta({ id: 'NewNormal', description: 'A shift that stays, to accept as usual from then on or to reject' });

export const anomalySchema = z
  .strictObject({
    id: z.string(),
    service: z.string(),
    signal: signalSchema,
    state: z.enum(['firing', 'resolved']),
    startedAt: time,
    detectedAt: time,
    resolvedAt: time.nullable(),
    stage: z.enum(['warming_up', 'baseline', 'trained']),
    severity: severitySchema,
    score: z.number().min(0).max(1),
    rawScore: z.number().nullable(),
    attribution: z.array(attributionSchema),
    window: z.strictObject({ from: time, to: time }),
    baseline: z.strictObject({ from: time, to: time, description: z.string() }),
    incidentId: z.string().nullable(),
    regime: z.enum(['spike', 'drop', 'shift', 'drift']).exactOptional(),
    newNormal: newNormalSchema.nullable().exactOptional(),
    quiet: z.strictObject({ since: time, reason: z.string(), rule: z.string().exactOptional() }).nullable().exactOptional(),
  })
  .meta({ id: 'Anomaly', description: 'One fault of one entity and signal' }) satisfies z.ZodType<Anomaly>;

const causeSchema = z.strictObject({
  rank: z.int().min(1),
  service: z.string(),
  signal: signalSchema,
  reason: z.string(),
  evidence: z.array(z.string()),
  rankBefore: z.int().exactOptional().meta({ description: 'Of the one that a person named: its rank before; 0: none' }),
});

const incidentEventSchema = z.strictObject({
  at: time,
  type: z.enum(INCIDENT_EVENT_TYPES),
  anomalyId: z.string().exactOptional(),
  service: z.string().exactOptional(),
  incidentId: z.string().exactOptional(),
  by: z.string().exactOptional(),
  label: z.enum(FEEDBACK_LABELS).exactOptional(),
});

export const incidentSchema = z
  .strictObject({
    id: z.string(),
    status: z.enum(['open', 'acknowledged', 'resolved']),
    severity: severitySchema,
    title: z.string(),
    startedAt: time,
    detectedAt: time,
    updatedAt: time,
    acknowledgedAt: time.nullable(),
    acknowledgedBy: z.string().nullable(),
    resolvedAt: time.nullable(),
    services: z.array(z.string()),
    causes: z.array(causeSchema),
    anomalyIds: z.array(z.string()),
    mergedInto: z.string().nullable(),
    splitFrom: z.string().nullable().exactOptional(),
    events: z.array(incidentEventSchema).exactOptional(),
    newNormal: newNormalSchema.nullable().exactOptional(),
    feedback: z
      .strictObject({
        id: z.string(),
        label: z.enum(FEEDBACK_LABELS),
        cause: z.string().nullable(),
        effect: z.string().nullable(),
        by: z.string(),
        at: time,
      })
      .nullable()
      .exactOptional()
      .meta({ description: 'What a person last said of it' }),
  })
  .meta({ id: 'Incident', description: 'Anomalies of one or more services that belong together' }) satisfies z.ZodType<Incident>;

export const CHANGE_TYPES = ['deployment', 'rollback', 'configuration', 'infrastructure', 'other'] as const;

export const changeSchema = z
  .strictObject({
    id: z.string(),
    at: time,
    service: z.string(),
    type: z.enum(CHANGE_TYPES),
    version: z.string().nullable(),
    previousVersion: z.string().nullable(),
    description: z.string(),
    source: z.enum(['api', 'service.version']),
  })
  .meta({ id: 'Change' }) satisfies z.ZodType<Change>;

export const serviceSchema = z
  .strictObject({
    service: z.string(),
    firstSeen: time,
    lastSeen: time,
    eventCount: z.int(),
    errorCount: z.int(),
  })
  .meta({ id: 'Service' }) satisfies z.ZodType<ServiceSummary>;

export const templateSchema = z
  .strictObject({
    service: z.string(),
    templateId: z.string(),
    template: z.string(),
    count: z.int(),
    firstSeen: time,
    lastSeen: time,
    example: z.string(),
  })
  .meta({
    id: 'Template',
    description: 'Error messages that differ only in numbers, ids and addresses',
  }) satisfies z.ZodType<TemplateSummary>;

const labels = z.record(z.string(), z.string());

export const metricsSchema = z
  .strictObject({
    step: z.union([z.number(), z.literal('raw')]).meta({ description: 'Milliseconds, or raw' }),
    series: z.array(
      z.strictObject({
        name: z.string(),
        labels: labels.meta({ description: 'service; environment and namespace where not empty; labels of a received series' }),
        unit: z.string(),
        points: z.array(z.tuple([z.number(), z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]).nullable()])),
      }),
    ),
  })
  .meta({
    id: 'Metrics',
    description:
      'One point a step: [start of the bucket in ms since the epoch, value or null]; raw: [time, value] of each point, numbers that JSON lacks as text',
  });

export const seriesSchema = z
  .strictObject({
    name: z.string(),
    kind: z.enum(SERIES_KINDS),
    unit: z.string(),
    service: z.string(),
    environment: z.string(),
    namespace: z.string(),
    labels,
    firstSeen: time,
    lastSeen: time,
  })
  .meta({ id: 'Series', description: 'A received metric series' }) satisfies z.ZodType<SeriesSummary>;

/** The form of every list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}
