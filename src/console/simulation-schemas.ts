import { z } from 'zod';
import type { Simulation, SimulationStatus } from '../model/simulation.ts';

const time = z.string().meta({ format: 'date-time' });
const severity = z.enum(['low', 'medium', 'high', 'critical']);
const signal = z.enum(['error_rate', 'latency', 'traffic', 'silence', 'multivariate', 'metric']);
const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]);

const alertSchema = z
  .strictObject({
    id: z.string(),
    service: z.string(),
    signal,
    severity,
    startedAt: time,
    detectedAt: time,
    resolvedAt: time.nullable(),
    quiet: z.boolean().meta({ description: 'Recorded, but it would have called nobody' }),
    incidentId: z.string().nullable(),
  })
  .meta({ id: 'SimulatedAlert' });

const incidentSchema = z
  .strictObject({
    id: z.string(),
    severity,
    title: z.string(),
    services: z.array(z.string()),
    startedAt: time,
    detectedAt: time,
    resolvedAt: time.nullable(),
    mergedInto: z.string().nullable(),
  })
  .meta({ id: 'SimulatedIncident' });

const sideSchema = z
  .strictObject({
    alertCount: z.int(),
    quietCount: z.int(),
    incidentCount: z.int(),
    alertsPerServiceDay: z.number().nullable(),
    alerts: z.array(alertSchema),
    incidents: z.array(incidentSchema),
  })
  .meta({ id: 'SimulationSide', description: 'What one configuration would have said; counts are exact, lists the first 1,000' });

const resultSchema = z
  .strictObject({
    historyFrom: time.nullable(),
    historyLost: z.boolean().meta({ description: 'Retention had removed what came before historyFrom' }),
    serviceDays: z.number(),
    present: sideSchema,
    overridden: sideSchema,
    difference: z.strictObject({
      both: z.int(),
      sooner: z.int(),
      later: z.int(),
      onlyPresentCount: z.int(),
      onlyOverriddenCount: z.int(),
      onlyPresent: z.array(alertSchema),
      onlyOverridden: z.array(alertSchema),
    }),
  })
  .meta({ id: 'SimulationResult' });

const status = {
  id: z.string(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  overrides: z.record(z.string(), value).meta({ description: 'By full key, durations as in the file' }),
  present: z.record(z.string(), value).meta({ description: 'Present values of the same keys' }),
  service: z.string().nullable(),
  from: time.nullable(),
  to: time,
  progress: z.number().min(0).max(1),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
};

export const simulationStatusSchema = z
  .strictObject(status)
  .meta({ id: 'SimulationStatus', description: 'A simulation without its result' }) satisfies z.ZodType<SimulationStatus>;

export const simulationSchema = z
  .strictObject({ ...status, result: resultSchema.nullable() })
  .meta({ id: 'Simulation', description: 'What would have fired under other settings' }) satisfies z.ZodType<Simulation>;
